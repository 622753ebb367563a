//! NATS subjects and their tokens. A token is made only here, by a reversible escape, so that an id with a dot
//! or a space can neither break a subject nor collide with another.

use std::fmt;

use crate::id::{MigrationUid, PlanUid, ProviderUid, VmId};

/// One escaped, non-empty part of a subject.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Token(String);

/// A token can't be made of nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// An empty part would make `a..b`, which the server refuses.
    #[error("an empty identifier can't be part of a subject")]
    Empty,
    /// Not the output of [`Token::new`].
    #[error("`{0}` is not an escaped subject token")]
    NotEscaped(String),
}

impl Token {
    /// Escapes `text`: everything but ASCII letters, digits, `-` and `_` becomes `=XX`, byte by byte.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        if text.is_empty() {
            return Err(TokenError::Empty);
        }
        let mut out = String::with_capacity(text.len());
        for byte in text.bytes() {
            if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
                out.push(char::from(byte));
            } else {
                out.push_str(&format!("={byte:02X}"));
            }
        }
        Ok(Self(out))
    }

    /// The escaped form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads an escaped token back to the text it was made of.
    pub fn decode(escaped: &str) -> Result<String, TokenError> {
        let bad = || TokenError::NotEscaped(escaped.to_owned());
        let mut bytes = Vec::with_capacity(escaped.len());
        let mut rest = escaped.as_bytes();
        while let [first, tail @ ..] = rest {
            rest = tail;
            if *first != b'=' {
                bytes.push(*first);
                continue;
            }
            let (hex, tail) = rest.split_at_checked(2).ok_or_else(bad)?;
            rest = tail;
            let hex = std::str::from_utf8(hex).map_err(|_| bad())?;
            bytes.push(u8::from_str_radix(hex, 16).map_err(|_| bad())?);
        }
        let text = String::from_utf8(bytes).map_err(|_| bad())?;
        if Self::new(&text)?.0 == escaped { Ok(text) } else { Err(bad()) }
    }
}

/// A full subject to publish on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subject(String);

impl Subject {
    /// The subject as the server sees it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What every subject of ours begins with: product and contract version.
pub const PREFIX: &str = "longshore.v1";

fn join(area: &str, ids: &[&str]) -> Result<Subject, TokenError> {
    let mut subject = format!("{PREFIX}.{area}");
    for id in ids {
        subject.push('.');
        subject.push_str(Token::new(id)?.as_str());
    }
    Ok(Subject(subject))
}

/// `longshore.v1.inventory.<kind>.<provider>.<id>`: the last value of one inventory object.
pub fn inventory(kind: &str, provider: &ProviderUid, id: &str) -> Result<Subject, TokenError> {
    join("inventory", &[kind, provider.as_str(), id])
}

/// `longshore.v1.inventory.provider.<uid>.state`: how the collection of one provider stands.
pub fn provider_state(provider: &ProviderUid) -> Result<Subject, TokenError> {
    join("inventory.provider", &[provider.as_str(), "state"])
}

/// `longshore.v1.validation.vm.<provider>.<vm>`: the last assessment of one VM.
pub fn assessment(provider: &ProviderUid, vm: &VmId) -> Result<Subject, TokenError> {
    join("validation.vm", &[provider.as_str(), vm.as_str()])
}

/// `longshore.v1.job.<kind>.<migration>.<vm>`: at most one waiting job of a kind per VM.
pub fn job(kind: &str, migration: &MigrationUid, vm: &VmId) -> Result<Subject, TokenError> {
    join("job", &[kind, migration.as_str(), vm.as_str()])
}

/// `longshore.v1.transfer.progress.<migration>.<vm>.<disk>`: how far one disk is.
pub fn transfer_progress(migration: &MigrationUid, vm: &VmId, disk: &str) -> Result<Subject, TokenError> {
    join("transfer.progress", &[migration.as_str(), vm.as_str(), disk])
}

/// `longshore.v1.transfer.outcome.<kind>.<migration>.<vm>`: how the last attempt of a job ended.
pub fn transfer_outcome(kind: &str, migration: &MigrationUid, vm: &VmId) -> Result<Subject, TokenError> {
    join("transfer.outcome", &[kind, migration.as_str(), vm.as_str()])
}

/// `longshore.v1.plan.<uid>.progress`: the history of a plan.
pub fn plan_progress(plan: &PlanUid) -> Result<Subject, TokenError> {
    join("plan", &[plan.as_str(), "progress"])
}

/// `longshore.v1.migration.<uid>.finished`: the end of one migration.
pub fn migration_finished(migration: &MigrationUid) -> Result<Subject, TokenError> {
    join("migration", &[migration.as_str(), "finished"])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_dot_or_space_in_an_id_stays_inside_its_token() {
        let subject = inventory("vm", &"a.b".into(), "vm 1").unwrap();
        assert_eq!(subject.as_str(), "longshore.v1.inventory.vm.a=2Eb.vm=201");
    }

    #[test]
    fn an_empty_id_is_refused() {
        assert_eq!(assessment(&"".into(), &"vm-1".into()), Err(TokenError::Empty));
    }

    #[test]
    fn a_foreign_token_is_not_decoded() {
        for foreign in ["", "=", "=2", "=zz", "=41", "a.b", "=2e"] {
            assert!(Token::decode(foreign).is_err(), "{foreign}");
        }
    }

    proptest! {
        #[test]
        fn escaping_is_reversible(text in ".+") {
            let token = Token::new(&text).unwrap();
            prop_assert!(token.as_str().bytes().all(|b| b.is_ascii_graphic() && !b".*>".contains(&b)));
            prop_assert_eq!(Token::decode(token.as_str()).unwrap(), text);
        }
    }
}
