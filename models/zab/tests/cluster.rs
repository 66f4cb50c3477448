//! Servers driven by hand.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

use stateright::actor::{Actor, Command, Id, Out};

use super::super::{Choice, Disk, Epoch, Message, Role, State, Timer, Txn, Zab, Zxid};
use crate::election::{Election, Setup, Value};

/// What left a handler, in order.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Effect {
    Send(Id, Message),
    Save(Disk),
}

/// Servers, what was saved last, and ordered channels.
pub(super) struct Cluster {
    pub(super) zab: Zab,
    servers: Vec<State>,
    disks: Vec<Option<Disk>>,
    lives: Vec<u32>,
    pub(super) flows: BTreeMap<(Id, Id), VecDeque<Message>>,
}

pub(super) fn zab(count: usize, election: &'static str, bug: Option<&'static str>) -> Zab {
    let mut setup = Setup::new(Zab::about(), count)
        .with("election", Value::Text(election))
        .with("values", Value::Number(9))
        .with("pings", Value::Flag(false));
    if let Some(bug) = bug {
        setup = setup.with_bug(bug);
    }
    Zab::build(&setup).expect("a valid setup").remove(0)
}

pub(super) fn n(number: usize) -> Id {
    Id::from(number - 1)
}

pub(super) fn txn(epoch: u32, counter: u32) -> Txn {
    Txn { zxid: Zxid { epoch: Epoch(epoch), counter }, value: counter }
}

pub(super) fn disk(accepted: u32, current: u32, history: &[Txn]) -> Disk {
    Disk { accepted: Epoch(accepted), current: Epoch(current), history: history.to_vec() }
}

impl Cluster {
    pub(super) fn new(zab: Zab) -> Self {
        let count = zab.count;
        Self::with_disks(zab, vec![Disk::default(); count])
    }

    pub(super) fn with_disks(zab: Zab, disks: Vec<Disk>) -> Self {
        let count = zab.count;
        let mut cluster = Cluster {
            zab,
            servers: Vec::new(),
            disks: disks.into_iter().map(Some).collect(),
            lives: vec![0; count],
            flows: BTreeMap::new(),
        };
        for id in cluster.zab.nodes() {
            let mut o = Out::new();
            let storage = cluster.disks[usize::from(id)].clone();
            let server = cluster.zab.start(id, 0, &storage, &mut o);
            cluster.servers.push(server);
            cluster.take(id, o);
        }
        cluster
    }

    fn take(&mut self, id: Id, o: Out<Zab>) -> Vec<Effect> {
        let mut effects = Vec::new();
        for command in o {
            match command {
                Command::Send(dst, msg) => {
                    self.flows.entry((id, dst)).or_default().push_back(msg.clone());
                    effects.push(Effect::Send(dst, msg));
                }
                Command::Save(disk) => {
                    self.disks[usize::from(id)] = Some(disk.clone());
                    effects.push(Effect::Save(disk));
                }
                // The tests say when a timer ends, and what is chosen.
                Command::SetTimer(..) | Command::CancelTimer(_) | Command::ChooseRandom(..) => {}
            }
        }
        effects
    }

    pub(super) fn run(
        &mut self,
        id: Id,
        handler: impl FnOnce(&Zab, &mut Cow<State>, &mut Out<Zab>),
    ) -> Vec<Effect> {
        let before = self.servers[usize::from(id)].clone();
        let mut state = Cow::Borrowed(&before);
        let mut o = Out::new();
        handler(&self.zab, &mut state, &mut o);
        self.servers[usize::from(id)] = state.into_owned();
        self.take(id, o)
    }

    pub(super) fn receive(&mut self, src: Id, dst: Id, msg: Message) -> Vec<Effect> {
        self.run(dst, |zab, state, o| zab.on_msg(dst, state, src, msg, o))
    }

    /// Delivers the next message of a channel.
    pub(super) fn deliver(&mut self, src: usize, dst: usize) -> Vec<Effect> {
        let flow = self.flows.get_mut(&(n(src), n(dst))).expect("a channel");
        let msg = flow.pop_front().expect("something in flight");
        self.receive(n(src), n(dst), msg)
    }

    /// Loses the next message of a channel.
    pub(super) fn lose(&mut self, src: usize, dst: usize) {
        self.flows
            .get_mut(&(n(src), n(dst)))
            .and_then(VecDeque::pop_front)
            .expect("something in flight");
    }

    pub(super) fn elect(&mut self, id: usize, leader: usize) -> Vec<Effect> {
        self.run(n(id), |zab, state, o| zab.on_random(n(id), state, &Choice::Elect(n(leader)), o))
    }

    pub(super) fn broadcast(&mut self, id: usize) -> Vec<Effect> {
        let value = self.history(id).len() as u32 + 1;
        self.run(n(id), |zab, state, o| zab.on_random(n(id), state, &Choice::Broadcast(value), o))
    }

    pub(super) fn timeout(&mut self, id: usize, timer: Timer) -> Vec<Effect> {
        self.run(n(id), |zab, state, o| zab.on_timeout(n(id), state, &timer, o))
    }

    /// Crashes a server and starts it again, with its disk or without.
    pub(super) fn restart(&mut self, id: usize, keeps_disk: bool) {
        let i = id - 1;
        self.lives[i] += 1;
        if !keeps_disk {
            self.disks[i] = None;
        }
        let mut o = Out::new();
        self.servers[i] = self.zab.start(n(id), self.lives[i], &self.disks[i].clone(), &mut o);
        self.take(n(id), o);
    }

    /// Delivers everything between these servers until nothing is in flight between them.
    pub(super) fn settle(&mut self, among: &[usize]) {
        let pairs: Vec<(usize, usize)> = among
            .iter()
            .flat_map(|&a| among.iter().map(move |&b| (a, b)))
            .filter(|(a, b)| a != b)
            .collect();
        while let Some(&(src, dst)) = pairs
            .iter()
            .find(|(a, b)| self.flows.get(&(n(*a), n(*b))).is_some_and(|flow| !flow.is_empty()))
        {
            self.deliver(src, dst);
        }
    }

    /// The first leads the others.
    pub(super) fn establish(&mut self, nodes: &[usize]) {
        nodes.iter().for_each(|&node| {
            self.elect(node, nodes[0]);
        });
        self.settle(nodes);
        assert!(self.zab.leads(n(nodes[0]), self.server(nodes[0])).is_some());
    }

    pub(super) fn server(&self, id: usize) -> &State {
        &self.servers[id - 1]
    }

    pub(super) fn history(&self, id: usize) -> &[Txn] {
        &self.server(id).disk.history
    }

    pub(super) fn leads(&self, id: usize) -> Option<u64> {
        self.zab.leads(n(id), self.server(id)).map(|term| term.0)
    }

    pub(super) fn is_looking(&self, id: usize) -> bool {
        matches!(self.server(id).role, Role::Looking(_))
    }
}

pub(super) fn oracle(count: usize) -> Cluster {
    Cluster::new(zab(count, "oracle", None))
}
