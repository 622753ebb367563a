//! Following the bus: inventory, assessments, copies and the active rules come into the indexes, and whatever they
//! touch is looked at.

use std::convert::Infallible;
use std::sync::Arc;

use bus::Follow;
use bus::topology::{ASSESSMENTS, INVENTORY, TRANSFERS};
use contract::assessment::VmAssessed;
use contract::inventory::InventoryEvent;
use contract::transfer::TransferEvent;
use runtime::{Kind, Process};
use tokio::sync::watch;

use crate::context::Context;
use crate::index::Feed;
use crate::triggers::Triggers;

/// Which of the followed streams are caught up.
#[derive(Clone, Copy, Default)]
pub(crate) struct CaughtUp {
    inventory: bool,
    assessments: bool,
    transfers: bool,
}

impl CaughtUp {
    /// Nothing that was on the bus at the start is still unknown.
    pub fn all(self) -> bool {
        self.inventory && self.assessments && self.transfers
    }
}

/// What every follower is given.
#[derive(Clone)]
struct Follower {
    context: Arc<Context>,
    triggers: Triggers,
    caught_up: Arc<watch::Sender<CaughtUp>>,
}

/// Starts all followers; they end with the bus.
pub(crate) fn start(
    process: &Process,
    context: &Arc<Context>,
    triggers: &Triggers,
    caught_up: &Arc<watch::Sender<CaughtUp>>,
) {
    let follower = Follower { context: context.clone(), triggers: triggers.clone(), caught_up: caught_up.clone() };
    process.tasks.spawn("controller.follow.inventory", Kind::Service, follower.clone().inventory());
    process.tasks.spawn("controller.follow.assessments", Kind::Service, follower.clone().assessments());
    process.tasks.spawn("controller.follow.transfers", Kind::Service, follower.clone().transfers());
    process.tasks.spawn("controller.follow.rules", Kind::Service, follower.rules());
}

impl Follower {
    async fn inventory(self) -> Result<(), Infallible> {
        let mut follower = self.context.bus.follow::<InventoryEvent>(INVENTORY, "longshore.v1.inventory.>");
        while let Some(item) = follower.next().await {
            match item {
                Follow::Item { message, .. } => {
                    let touched = self.context.index_mut().apply(message);
                    self.triggers.touched(&self.context.caches, &touched).await;
                }
                Follow::CaughtUp => {
                    self.context.index_mut().caught_up(Feed::Inventory);
                    self.caught_up.send_modify(|state| state.inventory = true);
                }
                Follow::Restarted => self.context.index_mut().restart(Feed::Inventory),
            }
        }
        Ok(())
    }

    async fn assessments(self) -> Result<(), Infallible> {
        let mut follower = self.context.bus.follow::<VmAssessed>(ASSESSMENTS, "longshore.v1.validation.vm.>");
        while let Some(item) = follower.next().await {
            match item {
                Follow::Item { message, .. } => {
                    let touched = self.context.index_mut().assess(message);
                    self.triggers.touched(&self.context.caches, &touched).await;
                }
                Follow::CaughtUp => {
                    self.context.index_mut().caught_up(Feed::Assessments);
                    self.caught_up.send_modify(|state| state.assessments = true);
                }
                Follow::Restarted => self.context.index_mut().restart(Feed::Assessments),
            }
        }
        Ok(())
    }

    async fn transfers(self) -> Result<(), Infallible> {
        let mut follower = self.context.bus.follow::<TransferEvent>(TRANSFERS, "longshore.v1.transfer.>");
        while let Some(item) = follower.next().await {
            match item {
                Follow::Item { message, .. } => {
                    let key = self.context.transfers_mut().apply(message);
                    self.triggers.transfer(&self.context.caches, &key).await;
                }
                Follow::CaughtUp => self.caught_up.send_modify(|state| state.transfers = true),
                Follow::Restarted => self.context.transfers_mut().restart(),
            }
        }
        Ok(())
    }

    async fn rules(self) -> Result<(), Infallible> {
        let (told, mut changed) = watch::channel(());
        let following = self.context.bus.follow_active_rules(|version| {
            self.context.index_mut().set_active_rules(version);
            told.send_replace(());
        });
        let pulling = async {
            while changed.changed().await.is_ok() {
                self.triggers.plans(&self.context.caches).await;
            }
        };
        tokio::select! { () = following => {}, () = pulling => {} }
        Ok(())
    }
}
