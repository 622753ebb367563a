//! Rhai reserves words such as `shared`, `default` and `private` that are field names of VM documents. This maps
//! them back to names where only a name can stand: behind a dot, and as a key of an object literal.

use std::cell::Cell;

use rhai::{LexError, Token};

/// Methods that Rhai itself answers to; they keep their meaning behind a dot, and `curry` its ban.
const METHODS: [&str; 3] = ["curry", "is_shared", "type_of"];

/// Reserved words that mean something to Rhai where an argument can stand.
const MEANING: [&str; 7] = ["Fn", "call", "curry", "is_def_fn", "is_def_var", "this", "type_of"];

#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// Behind `.` or `?.`.
    Property,
    /// Behind `#{` or `,`, where a key may follow.
    Key,
    Elsewhere,
}

thread_local! {
    /// What the last token makes of the next one. The hook is not told, and a script is parsed on one thread.
    static PLACE: Cell<Place> = const { Cell::new(Place::Elsewhere) };
}

/// To be called before a script is parsed.
pub(super) fn begin() {
    PLACE.set(Place::Elsewhere);
}

/// The token, as a name if it stands where only a name can.
pub(super) fn name(token: Token) -> Token {
    let place = PLACE.replace(place_after(&token));
    if place == Place::Elsewhere { token } else { as_name(token, place) }
}

fn place_after(token: &Token) -> Place {
    match token {
        Token::Period | Token::Elvis => Place::Property,
        Token::MapStart | Token::Comma => Place::Key,
        _ => Place::Elsewhere,
    }
}

fn as_name(token: Token, place: Place) -> Token {
    match (place, word(&token)) {
        (Place::Property, Some(word)) if !METHODS.contains(&word) => Token::Identifier(Box::new(word.into())),
        // Behind a comma an argument can stand too: only words without any meaning in Rhai are names there.
        (Place::Key, Some(word)) if matches!(token, Token::Reserved(_)) && !MEANING.contains(&word) => {
            Token::Identifier(Box::new(word.into()))
        }
        _ => token,
    }
}

/// The word that a token is made of, if Rhai takes it for something other than a name. One that the sandbox has
/// disabled comes as an error.
fn word(token: &Token) -> Option<&str> {
    let word = match token {
        Token::Reserved(word) => word.as_str(),
        Token::LexError(error) => match error.as_ref() {
            LexError::ImproperSymbol(word, _) => word.as_str(),
            _ => return None,
        },
        token if token.is_literal() => token.literal_syntax(),
        _ => return None,
    };
    word.starts_with(|c: char| c.is_ascii_alphabetic()).then_some(word)
}
