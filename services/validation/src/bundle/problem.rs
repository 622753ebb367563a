//! Why a bundle is refused: every problem with file, line and column, so that an editor can jump there.

use std::fmt;
use std::path::PathBuf;

/// One thing that is wrong with one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Path in the bundle.
    pub file: String,
    /// Line, from 1, where it is known.
    pub line: Option<usize>,
    /// Column, from 1.
    pub column: Option<usize>,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Problem {
    /// A problem of no particular line.
    pub(crate) fn new(file: &str, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, column: None, message: message.into() }
    }

    /// The same at a line and column.
    pub(crate) fn at(self, line: Option<usize>, column: Option<usize>) -> Self {
        Self { line, column, ..self }
    }
}

impl fmt::Display for Problem {
    /// `FILE:LINE:COLUMN: message`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}:{}", self.column.unwrap_or(1))?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The folder or a file in it can't be read.
    #[error("{} can't be read; rules are .rhai files in its folders vsphere and ovirt", path.display())]
    Read {
        /// What can't be read.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// There is no rule at all, so every VM would pass.
    #[error("there is not one rule; rules are .rhai files in the folders vsphere and ovirt")]
    Empty,
    /// Files that are no rules.
    #[error("the rules are refused:{}", listed(problems))]
    Rules {
        /// Everything that is wrong.
        problems: Vec<Problem>,
    },
}

fn listed(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("\n  {problem}")).collect()
}
