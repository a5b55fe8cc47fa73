//! The client transactions of an endpoint, and the ways to find one.

use std::collections::{BTreeSet, HashMap};

use super::Route;
use crate::sip::transaction::client::Client;
use crate::sip::transaction::key::ClientKey;
use crate::sip::{FlowId, Request, TransactionId};

/// A request of ours, as long as its transaction lives.
#[derive(Debug)]
pub struct Asked {
    /// The state machine.
    pub machine: Client,
    /// Where the request went.
    pub route: Route,
    /// An INVITE as it was sent: the model of its CANCEL and of its ACK.
    pub invite: Option<Box<Request>>,
    /// Whether the owner knows of it. A CANCEL of ours stays among ourselves.
    pub owned: bool,
    /// Its name in answers.
    pub key: ClientKey,
}

/// All client transactions.
#[derive(Debug, Default)]
pub struct Clients {
    /// Each in a box: a table has room for four as soon as it has one.
    all: HashMap<TransactionId, Box<Asked>>,
    by_key: HashMap<ClientKey, TransactionId>,
    by_flow: BTreeSet<(FlowId, TransactionId)>,
}

impl Clients {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// The transaction with this number.
    pub fn lookup(&mut self, tx: TransactionId) -> Option<&mut Asked> {
        self.all.get_mut(&tx).map(Box::as_mut)
    }

    /// The transaction with this key.
    pub fn find(&self, key: &ClientKey) -> Option<TransactionId> {
        self.by_key.get(key).copied()
    }

    /// Adds a transaction.
    pub fn insert(&mut self, tx: TransactionId, asked: Asked) {
        self.by_key.insert(asked.key.clone(), tx);
        self.by_flow.insert((asked.route.flow, tx));
        self.all.insert(tx, Box::new(asked));
    }

    /// Forgets a transaction.
    pub fn remove(&mut self, tx: TransactionId) -> Option<Asked> {
        let asked = self.all.remove(&tx)?;
        self.by_key.remove(&asked.key);
        self.by_flow.remove(&(asked.route.flow, tx));
        if self.all.is_empty() {
            // Tables keep their room; that of thousands of idle endpoints would be much.
            *self = Clients::default();
        }
        Some(*asked)
    }

    /// Whether no index points at a transaction that is gone.
    #[cfg(test)]
    pub fn is_sound(&self) -> bool {
        let alive = |tx: &TransactionId| self.all.contains_key(tx);
        self.by_key.len() == self.all.len()
            && self.by_key.values().all(alive)
            && self.by_flow.len() == self.all.len()
            && self.by_flow.iter().all(|(_, tx)| alive(tx))
    }

    /// The oldest transaction on `flow`.
    pub fn first_on(&self, flow: FlowId) -> Option<TransactionId> {
        super::first_on(&self.by_flow, flow)
    }
}
