//! The server transactions of an endpoint, and the ways to find one.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::Route;
use crate::sip::transaction::key::{MergeKey, ServerKey};
use crate::sip::transaction::server::Server;
use crate::sip::{FlowId, Method, NameAddr, Request, Response, TransactionId};

/// A request that came, as long as its transaction lives.
#[derive(Debug)]
pub struct Served {
    /// The state machine.
    pub machine: Server,
    /// Where answers go; `None` when the flow is gone.
    pub route: Option<Route>,
    /// An INVITE, until it has a final answer: 100 and 487 may have to be made of it.
    pub invite: Option<Box<Request>>,
    /// Whether the owner knows of it. A request with a protocol fault stays among ourselves.
    pub owned: bool,
    /// The status of the last answer; 0 before the first.
    pub status: u16,
    key: Arc<ServerKey>,
    merge: Option<Arc<MergeKey>>,
    call: Option<Call>,
}

/// What tells the ACK of an INVITE when its branch does not.
#[derive(Debug)]
struct Call {
    call_id: Arc<str>,
    from_tag: Option<String>,
    /// The To tag of our answers, once one had any.
    local_tag: Option<String>,
    cseq: u32,
}

impl Served {
    /// A new transaction for `request`.
    pub fn new(machine: Server, route: Route, key: ServerKey, request: &Request) -> Served {
        let invite = Some(request).filter(|r| r.method() == Method::Invite);
        Served {
            call: invite.and_then(Call::of),
            invite: invite.cloned().map(Box::new),
            merge: MergeKey::of(request).map(Arc::new),
            machine,
            route: Some(route),
            owned: true,
            status: 0,
            key: Arc::new(key),
        }
    }

    /// Takes note of an answer that goes out.
    pub fn note(&mut self, response: &Response) {
        self.status = response.status();
        if self.status >= 200 {
            self.invite = None;
        }
        let tag = response.headers.to().ok().and_then(|to| tag_of(&to));
        if let (Some(call), Some(tag)) = (&mut self.call, tag) {
            call.local_tag = Some(tag);
        }
    }

    /// The To tag of our answers, once one had any.
    pub fn local_tag(&self) -> Option<&str> {
        self.call.as_ref()?.local_tag.as_deref()
    }

    /// The Call-ID of an INVITE.
    pub fn call_id(&self) -> Option<&str> {
        Some(&self.call.as_ref()?.call_id)
    }
}

impl Call {
    fn of(request: &Request) -> Option<Call> {
        let headers = &request.headers;
        Some(Call {
            call_id: headers.call_id()?.into(),
            from_tag: headers.from().ok().and_then(|from| tag_of(&from)),
            local_tag: None,
            cseq: headers.cseq().ok()?.number,
        })
    }
}

/// All server transactions.
#[derive(Debug, Default)]
pub struct Servers {
    /// Each in a box: a table has room for four as soon as it has one.
    all: HashMap<TransactionId, Box<Served>>,
    by_key: HashMap<Arc<ServerKey>, TransactionId>,
    by_merge: HashMap<Arc<MergeKey>, TransactionId>,
    /// The INVITEs of a call, oldest first.
    by_call: HashMap<Arc<str>, Vec<TransactionId>>,
    by_flow: BTreeSet<(FlowId, TransactionId)>,
}

impl Servers {
    /// How many INVITEs of one call may be open at once: no honest peer comes near.
    const PER_CALL: usize = 16;

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// The transaction with this number.
    pub fn lookup(&mut self, tx: TransactionId) -> Option<&mut Served> {
        self.all.get_mut(&tx).map(Box::as_mut)
    }

    /// The transaction with this key.
    pub fn find(&self, key: &ServerKey) -> Option<TransactionId> {
        self.by_key.get(key).copied()
    }

    /// The transaction of an earlier copy of `request` that came by another way.
    pub fn merged(&self, request: &Request) -> Option<&Served> {
        let tx = self.by_merge.get(&MergeKey::of(request)?)?;
        self.all.get(tx).map(Box::as_ref)
    }

    /// Whether this is an INVITE of a call that has as many open as one call may.
    pub fn is_crowded(&self, request: &Request) -> bool {
        let call_id = request.headers.call_id().unwrap_or_default();
        let open = self.by_call.get(call_id).map_or(0, Vec::len);
        request.method() == Method::Invite && open >= Self::PER_CALL
    }

    /// The INVITE that an ACK means whose branch is not that of the INVITE, as it should be after a
    /// 2xx (RFC 3261 §13.2.2.4). The tags must fit, unless the call has only one INVITE. Among
    /// several the CSeq number decides; that of the seed trace's platform is one too high.
    pub fn acknowledged(&self, ack: &Request) -> Option<TransactionId> {
        let candidates = self.by_call.get(ack.headers.call_id()?)?;
        if let [only] = candidates[..] {
            return Some(only);
        }
        let best = candidates
            .iter()
            .filter_map(|tx| Some((self.fit(*tx, ack)?, *tx)))
            .max()?;
        Some(best.1)
    }

    /// How well an INVITE fits an ACK; `None` when the tags contradict.
    fn fit(&self, tx: TransactionId, ack: &Request) -> Option<(u8, bool)> {
        let served = self.all.get(&tx)?;
        let call = served.call.as_ref()?;
        let from = ack.headers.from().ok().and_then(|from| tag_of(&from));
        let to = ack.headers.to().ok().and_then(|to| tag_of(&to));
        if from != call.from_tag || to != call.local_tag {
            return None;
        }
        let number = ack.headers.cseq().map_or(0, |cseq| cseq.number);
        let nearness = match number.checked_sub(call.cseq) {
            Some(0) => 2,
            Some(1) => 1,
            _ => 0,
        };
        Some((nearness, served.machine.awaits_ack()))
    }

    /// Adds a transaction.
    pub fn insert(&mut self, tx: TransactionId, served: Served) {
        self.by_key.insert(served.key.clone(), tx);
        if let Some(merge) = &served.merge {
            self.by_merge.insert(merge.clone(), tx);
        }
        if let Some(call) = &served.call {
            let invites = self.by_call.entry(call.call_id.clone()).or_default();
            invites.push(tx);
        }
        if let Some(route) = served.route {
            self.by_flow.insert((route.flow, tx));
        }
        self.all.insert(tx, Box::new(served));
    }

    /// Forgets a transaction.
    pub fn remove(&mut self, tx: TransactionId) {
        let Some(served) = self.all.remove(&tx) else {
            return;
        };
        self.by_key.remove(&served.key);
        if let Some(merge) = &served.merge
            && self.by_merge.get(merge) == Some(&tx)
        {
            self.by_merge.remove(merge);
        }
        if let Some(call) = &served.call {
            self.remove_from_call(tx, &call.call_id);
        }
        if let Some(route) = served.route {
            self.by_flow.remove(&(route.flow, tx));
        }
        if self.all.is_empty() {
            // Tables keep their room; that of thousands of idle endpoints would be much.
            *self = Servers::default();
        }
    }

    /// Forgets where the answers of every transaction on `flow` would go. The transactions live on:
    /// the ACK of a 2xx may come another way, and their timers end them.
    pub fn flow_closed(&mut self, flow: FlowId) {
        while let Some(tx) = super::first_on(&self.by_flow, flow) {
            self.by_flow.remove(&(flow, tx));
            if let Some(served) = self.all.get_mut(&tx) {
                served.route = None;
            }
        }
    }

    /// Whether no index points at a transaction that is gone.
    #[cfg(test)]
    pub fn is_sound(&self) -> bool {
        let alive = |tx: &TransactionId| self.all.contains_key(tx);
        self.by_key.len() == self.all.len()
            && self.by_key.values().all(alive)
            && self.by_merge.values().all(alive)
            && self.by_flow.iter().all(|(_, tx)| alive(tx))
            && self
                .by_call
                .values()
                .all(|call| !call.is_empty() && call.iter().all(alive))
    }

    fn remove_from_call(&mut self, tx: TransactionId, call_id: &str) {
        let Some(invites) = self.by_call.get_mut(call_id) else {
            return;
        };
        invites.retain(|invite| *invite != tx);
        if invites.is_empty() {
            self.by_call.remove(call_id);
        }
    }
}

fn tag_of(address: &NameAddr) -> Option<String> {
    address.tag().map(str::to_owned)
}
