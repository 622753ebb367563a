//! The engine with everything a rule may not do taken away: no I/O, clock, randomness, modules or `eval`, and
//! limits on operations, depth, sizes and time. What it makes of an answer is decided elsewhere.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rhai::module_resolvers::DummyModuleResolver;
use rhai::packages::{
    ArithmeticPackage, BasicArrayPackage, BasicFnPackage, BasicIteratorPackage, BasicMapPackage, BasicStringPackage,
    LogicPackage, MoreStringPackage, Package,
};
use rhai::{AST, CallFnOptions, Dynamic, Engine, ParseError, Scope};

use super::failure::Failure;
use super::{budget, lists, strings, tokens};

/// The function that every rule has.
pub(crate) const ENTRY: &str = "check";

/// Compiles and runs rules. One serves any number of rules and threads.
#[derive(Debug)]
pub(crate) struct Sandbox {
    engine: Engine,
}

impl Sandbox {
    /// An engine with its limits set.
    pub fn new() -> Self {
        let mut engine = Engine::new_raw();
        add_packages(&mut engine);
        lists::register(&mut engine);
        strings::register(&mut engine);
        tokens::install(&mut engine);
        set_limits(&mut engine);
        Self { engine }
    }

    /// Parses the text of one rule.
    pub fn compile(&self, text: &str) -> Result<AST, ParseError> {
        tokens::begin();
        self.engine.compile(text)
    }

    /// Calls `check(vm)`. Ends in bounded time, whatever the rule does; a panic is a failure like any other.
    pub fn check(&self, program: &AST, vm: Dynamic) -> Result<Dynamic, Failure> {
        let running = budget::start();
        let options = CallFnOptions::new().eval_ast(false);
        let call = || self.engine.call_fn_with_options::<Dynamic>(options, &mut Scope::new(), program, ENTRY, (vm,));
        let answer = catch_unwind(AssertUnwindSafe(call));
        drop(running);
        match answer {
            Ok(answer) => Ok(answer?),
            Err(payload) => Err(Failure::panicked(payload.as_ref())),
        }
    }
}

/// Not the core package: it has `sleep`, `exit` and a property `tag` of everything.
fn add_packages(engine: &mut Engine) {
    ArithmeticPackage::new().register_into_engine(engine);
    LogicPackage::new().register_into_engine(engine);
    BasicStringPackage::new().register_into_engine(engine);
    MoreStringPackage::new().register_into_engine(engine);
    BasicIteratorPackage::new().register_into_engine(engine);
    BasicArrayPackage::new().register_into_engine(engine);
    BasicMapPackage::new().register_into_engine(engine);
    BasicFnPackage::new().register_into_engine(engine);
}

/// Each is set, for Rhai's own defaults differ between debug and release builds. Array and map sizes count nested
/// ones; a check of them costs the whole value each time, so they stay small. Operations and time: see [`budget`].
fn set_limits(engine: &mut Engine) {
    for word in ["eval", "import", "export", "print", "debug", "Fn", "call", "curry"] {
        engine.disable_symbol(word);
    }
    engine.set_module_resolver(DummyModuleResolver::new());
    engine.set_max_modules(0);
    engine.set_max_operations(budget::OPERATIONS);
    engine.set_max_call_levels(16);
    engine.set_max_expr_depths(64, 32);
    engine.set_max_functions(64);
    engine.set_max_variables(256);
    engine.set_max_string_size(strings::LONGEST);
    engine.set_max_array_size(10_000);
    engine.set_max_map_size(1_000);
    engine.set_strict_variables(true);
    engine.on_progress(|_operations| budget::spend().map(Into::into));
}
