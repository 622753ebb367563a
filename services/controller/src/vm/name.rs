//! Names that Kubernetes accepts.

/// Longest name of a VirtualMachine: its name becomes a label value and a host name (RFC 1123, 63 characters).
pub const MAX: usize = 63;

/// Whether `name` is a DNS label as RFC 1123 has it: lower case letters, digits and `-`, not at an end.
pub fn is_dns_label(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=MAX).contains(&name.len()) && name.chars().all(inner) && !name.starts_with('-') && !name.ends_with('-')
}

/// The DNS label nearest to a source name: lower case, every other character a `-`, runs of `-` joined, cut to 63.
/// A name without one usable character becomes `vm-` and the VM's id made safe.
pub fn dns_label(name: &str, id: &str) -> String {
    let safe = squeeze(name);
    if safe.is_empty() { squeeze(&format!("vm-{id}")) } else { safe }
}

fn squeeze(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            out.push(c);
        } else if !out.ends_with('-') && !out.is_empty() {
            out.push('-');
        }
        if out.len() == MAX {
            break;
        }
    }
    out.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_names_become_dns_labels() {
        for (name, label) in [
            ("demo-vm", "demo-vm"),
            ("Web Server_01", "web-server-01"),
            ("  Größe (alt)  ", "gr-e-alt"),
            ("日本", "vm-vm-7"),
            ("a.b", "a-b"),
        ] {
            assert_eq!(dns_label(name, "vm-7"), label, "{name}");
            assert!(is_dns_label(&dns_label(name, "vm-7")));
        }
        let long = dns_label(&"x-".repeat(60), "vm-7");
        assert!(is_dns_label(&long), "{long}");
    }

    #[test]
    fn what_is_no_dns_label_is_refused() {
        for name in ["", "-a", "a-", "A", "a.b", "a b", &"a".repeat(64)] {
            assert!(!is_dns_label(name), "{name}");
        }
    }
}
