//! A table of text: columns as wide as their widest cell, three spaces apart, nothing after the last.

/// Spaces between columns, as kubectl has them.
const GAP: usize = 3;

/// All rows, the heading being the first. An empty cell is empty; the last column is never padded.
pub fn render(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}{:GAP$}", ""));
        text.push_str(cells.collect::<String>().trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows =
            [["NAME", "SIZE", "X"], ["müller", "", "1"], ["a", "12345", ""]].map(|row| row.map(String::from).to_vec());
        assert_eq!(render(&rows), "NAME     SIZE    X\nmüller           1\na        12345\n");
    }
}
