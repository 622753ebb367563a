//! A closure may stand only as the first argument of a list method: `vm.disks.some(|disk| …)`. Kept in a variable,
//! closures that capture closures make a chain as long as the rule runs, which Rhai's size limits don't count and
//! whose end overflows the stack: the process would die of one rule. `curry` doubles what it is given and is
//! refused altogether.

use std::cell::Cell;

use rhai::{LexError, Token};

/// List methods that take a closure and don't keep it. No rule may define a function of such a name.
pub(crate) const LIST_METHODS: [&str; 13] = [
    "all", "dedup", "drain", "filter", "find", "find_map", "for_each", "index_of", "map", "reduce", "retain", "some",
    "sort",
];

/// What stands before the next token.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    /// `.` or `?.`.
    Dot,
    /// `.filter` and the like.
    Method,
    /// `.filter(` and the like: here a closure may begin.
    Open,
    /// The end of an operand: `|` and `||` are operators here.
    Operand,
    Other,
}

thread_local! {
    static BEFORE: Cell<Before> = const { Cell::new(Before::Other) };
}

/// To be called before a script is parsed.
pub(super) fn begin() {
    BEFORE.set(Before::Other);
}

/// Passes the token on, or an error in place of one that begins a closure where none may stand.
pub(super) fn check(token: Token) -> Token {
    let before = BEFORE.get();
    if matches!(token, Token::Pipe | Token::Or) && !matches!(before, Before::Open | Before::Operand) {
        let methods = LIST_METHODS.join(", ");
        let message = format!("a closure stands only as the first argument of a list method ({methods})");
        return Token::LexError(Box::new(LexError::Runtime(message)));
    }
    if !matches!(token, Token::Comment(_)) {
        BEFORE.set(after(before, &token));
    }
    token
}

fn after(before: Before, token: &Token) -> Before {
    match token {
        Token::Period | Token::Elvis => Before::Dot,
        Token::Identifier(name) if before == Before::Dot && LIST_METHODS.contains(&name.as_str()) => Before::Method,
        Token::LeftParen if before == Before::Method => Before::Open,
        Token::Identifier(_)
        | Token::Reserved(_)
        | Token::IntegerConstant(_)
        | Token::FloatConstant(_)
        | Token::CharConstant(_)
        | Token::StringConstant(_)
        | Token::True
        | Token::False
        | Token::Unit
        | Token::RightParen
        | Token::RightBracket => Before::Operand,
        // A closing brace ends a statement too, and there a closure could begin.
        _ => Before::Other,
    }
}
