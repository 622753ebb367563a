//! SOAP as vSphere speaks it: writing calls, carrying them over HTTPS, reading answers.

mod answer;
mod call;
mod parse;
mod transport;

pub(crate) use answer::{Answer, answer};
pub(crate) use call::{Call, Fields};
pub(crate) use parse::parse;
pub(crate) use transport::{CALL, OLDEST_ACTION, Reply, Transport, optional, returned};

/// Why a document could not be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// It is no XML.
    #[error("not an XML document: {0}")]
    Xml(String),
    /// It is nested deeper than any vSphere value.
    #[error("XML nested deeper than {0} elements")]
    TooDeep(usize),
    /// It is XML, but no SOAP envelope with an answer.
    #[error("not a SOAP answer, but a document <{0}>")]
    NotSoap(String),
    /// An element that must be there is not.
    #[error("the answer lacks <{0}>")]
    Lacks(&'static str),
}
