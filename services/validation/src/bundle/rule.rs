//! One rule: a file with a head and a function `check(vm)`. Whatever can be wrong with the file is found here,
//! before any VM is judged.

use rhai::{AST, Position};

use super::header::Header;
use super::problem::Problem;
use crate::engine::closures::LIST_METHODS;
use crate::engine::sandbox::{ENTRY, Sandbox};

/// Longest rule file in bytes.
pub(crate) const LARGEST: usize = 64 * 1024;

/// A compiled rule.
#[derive(Debug)]
pub struct Rule {
    file: String,
    header: Header,
    program: AST,
    start: Position,
}

impl Rule {
    /// Path in the bundle, `vsphere/<id>.rhai`.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// What it says about itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    pub(crate) fn program(&self) -> &AST {
        &self.program
    }

    /// Where the body of `check` begins: the place of a failure that has none of its own.
    pub(crate) fn start(&self) -> Position {
        self.start
    }

    pub(crate) fn compile(sandbox: &Sandbox, file: &str, text: &str) -> Result<Self, Problem> {
        if text.len() > LARGEST {
            let message = format!("it has {} bytes; a rule has at most {LARGEST}", text.len());
            return Err(Problem::new(file, message));
        }
        let header = Header::read(file, text)?;
        check_name(file, &header)?;
        let program = sandbox.compile(text).map_err(|error| {
            let position = error.position();
            Problem::new(file, error.err_type().to_string()).at(position.line(), position.position())
        })?;
        let start = check_program(file, &program)?;
        Ok(Self { file: file.to_owned(), header, program, start })
    }
}

fn check_name(file: &str, header: &Header) -> Result<(), Problem> {
    let right = format!("{}/{}.rhai", header.provider.folder(), header.id);
    if file == right {
        return Ok(());
    }
    let message = format!("by its id and provider the file's name is {right}");
    Err(Problem::new(file, message).at(Some(1), Some(1)))
}

fn check_program(file: &str, program: &AST) -> Result<Position, Problem> {
    if let Some(statement) = program.statements().iter().find(|statement| !matches!(statement, rhai::Stmt::Noop(_))) {
        let position = statement.position();
        let message = "only functions can stand here: a statement outside of one is never run";
        return Err(Problem::new(file, message).at(position.line(), position.position()));
    }
    if let Some(function) = program.iter_fn_def().find(|function| LIST_METHODS.contains(&function.name.as_str())) {
        let position = function.body.start_position();
        let message = format!("`{}` is a method of lists; give the function another name", function.name);
        return Err(Problem::new(file, message).at(position.line(), position.position()));
    }
    let mut functions = program.iter_fn_def();
    let entry = functions.find(|function| function.name == ENTRY && function.params.len() == 1);
    let entry = entry.ok_or_else(|| Problem::new(file, format!("there is no function `fn {ENTRY}(vm)`")))?;
    Ok(entry.body.start_position())
}
