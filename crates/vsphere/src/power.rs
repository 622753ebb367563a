//! Power: read it, ask the guest to shut down, switch on and off. Every request may be repeated.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::soap::Call;
use crate::{Client, Error, Fault, MoRef, ParseError, task};

/// A VM's power state.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PowerState {
    /// `poweredOn`
    On,
    /// `poweredOff`
    Off,
    /// `suspended`
    Suspended,
    /// Any other text, which may be empty.
    Unknown(String),
}

/// What a power request did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowerEffect {
    /// The server carried it out; for a guest shutdown: the guest was asked and goes down later, or never.
    Applied,
    /// The VM was in the wanted state already.
    Already,
}

impl From<&str> for PowerState {
    fn from(text: &str) -> Self {
        match text {
            "poweredOn" => Self::On,
            "poweredOff" => Self::Off,
            "suspended" => Self::Suspended,
            other => Self::Unknown(other.to_owned()),
        }
    }
}

impl fmt::Display for PowerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::On => "on",
            Self::Off => "off",
            Self::Suspended => "suspended",
            Self::Unknown(text) if text.is_empty() => "unknown",
            Self::Unknown(text) => text,
        })
    }
}

impl Client {
    /// The VM's power state of now.
    pub async fn power_state(&self, vm: &MoRef) -> Result<PowerState, Error> {
        const PATH: &str = "runtime.powerState";
        let object = self.properties(vm, &[PATH]).await?;
        if let Some(state) = object.text(PATH) {
            return Ok(PowerState::from(state));
        }
        let method = "RetrievePropertiesEx";
        match object.missing.into_iter().next() {
            Some(missing) => Err(Error::Refused { method, object: vm.clone(), fault: missing.fault }),
            None => Err(Error::Answer { method, source: ParseError::Lacks(PATH) }),
        }
    }

    /// Asks the guest, through VMware Tools, to shut down. Returns when it was asked; wait for the power state.
    /// Without Tools the fault is [`Fault::ToolsUnavailable`].
    pub async fn shutdown_guest(&self, vm: &MoRef) -> Result<PowerEffect, Error> {
        let asked = self.call(Call::new("ShutdownGuest", vm)).await.map(drop);
        effect(asked, &PowerState::Off)
    }

    /// Switches the VM on and waits for the task.
    pub async fn power_on(&self, vm: &MoRef) -> Result<PowerEffect, Error> {
        let done = self.run_task(Call::new("PowerOnVM_Task", vm), task::STALLED).await.map(drop);
        effect(done, &PowerState::On)
    }

    /// Switches the VM off, hard, and waits for the task.
    pub async fn power_off(&self, vm: &MoRef) -> Result<PowerEffect, Error> {
        let done = self.run_task(Call::new("PowerOffVM_Task", vm), task::STALLED).await.map(drop);
        effect(done, &PowerState::Off)
    }
}

/// A refusal because the VM is in the wanted state already is a success.
fn effect(done: Result<(), Error>, wanted: &PowerState) -> Result<PowerEffect, Error> {
    match done {
        Ok(()) => Ok(PowerEffect::Applied),
        Err(error) => match error.fault() {
            Some(Fault::InvalidPowerState { existing: Some(existing), .. }) if existing == wanted => {
                Ok(PowerEffect::Already)
            }
            _ => Err(error),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(fault: Fault) -> Result<(), Error> {
        Err(Error::Refused { method: "PowerOnVM_Task", object: MoRef::vm("vm-1"), fault })
    }

    #[test]
    fn a_state_that_is_there_already_is_a_success() {
        let is_on = || Fault::InvalidPowerState { existing: Some(PowerState::On), requested: Some(PowerState::Off) };
        assert_eq!(effect(refused(is_on()), &PowerState::On).unwrap(), PowerEffect::Already);
        assert!(effect(refused(is_on()), &PowerState::Off).is_err());
        assert!(effect(refused(Fault::ToolsUnavailable), &PowerState::Off).is_err());
        assert_eq!(effect(Ok(()), &PowerState::On).unwrap(), PowerEffect::Applied);
    }

    #[test]
    fn unknown_states_are_kept() {
        assert_eq!(PowerState::from("suspended"), PowerState::Suspended);
        assert_eq!(PowerState::from(""), PowerState::Unknown(String::new()));
        assert_eq!(PowerState::from("hovering").to_string(), "hovering");
    }
}
