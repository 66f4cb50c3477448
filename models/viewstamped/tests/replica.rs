//! A replica whose handlers are driven by hand, and short names for messages.

use std::borrow::Cow;

use stateright::actor::{Actor, Command, Id, Out};

use super::super::about::ABOUT;
use super::super::*;
use crate::election::{Election, Setup, Value};

/// One replica of three, driven by hand.
pub(super) struct Replica {
    actor: Viewstamped,
    id: Id,
    pub(super) state: State,
    disk: Option<Disk>,
    pub(super) timers: Vec<Timer>,
}

/// What a replica was seen to do: `Err` is what it saved, `Ok` what it sent and to whom.
pub(super) type Done = Vec<Result<(usize, Message), Disk>>;

pub(super) fn id(number: usize) -> Id {
    Id::from(number - 1)
}

pub(super) fn actor(disk: &'static str) -> Viewstamped {
    let setup =
        Setup::new(&ABOUT, 3).with("disk", Value::Text(disk)).with("values", Value::Number(9));
    Viewstamped::build(&setup).expect("three replicas").remove(0)
}

impl Replica {
    /// The replica `n<number>` at its first start, with the view number on disk.
    pub(super) fn new(number: usize) -> Self {
        Replica::started(actor("view"), number, 0, None).0
    }

    pub(super) fn started(
        actor: Viewstamped,
        number: usize,
        incarnation: u32,
        disk: Option<Disk>,
    ) -> (Self, Done) {
        let mut out = Out::new();
        let state = actor.start(id(number), incarnation, &disk, &mut out);
        let mut replica = Replica { actor, id: id(number), state, disk, timers: Vec::new() };
        let done = replica.carry_out(out);
        (replica, done)
    }

    pub(super) fn carry_out(&mut self, out: Out<Viewstamped>) -> Done {
        let mut done = Vec::new();
        for command in out {
            match command {
                Command::Send(dst, msg) => done.push(Ok((usize::from(dst) + 1, msg))),
                Command::Save(disk) => {
                    self.disk = Some(disk.clone());
                    done.push(Err(disk));
                }
                Command::SetTimer(timer, _) if !self.timers.contains(&timer) => {
                    self.timers.push(timer)
                }
                Command::CancelTimer(timer) => self.timers.retain(|t| *t != timer),
                Command::SetTimer(..) | Command::ChooseRandom(..) => {}
            }
        }
        done
    }

    pub(super) fn hears(&mut self, from: usize, msg: Message) -> Done {
        let mut out = Out::new();
        let mut state = Cow::Owned(self.state.clone());
        self.actor.on_msg(self.id, &mut state, id(from), msg, &mut out);
        self.state = state.into_owned();
        self.carry_out(out)
    }

    pub(super) fn times_out(&mut self, timer: Timer) -> Done {
        let mut out = Out::new();
        let mut state = Cow::Owned(self.state.clone());
        self.timers.retain(|t| *t != timer);
        self.actor.on_timeout(self.id, &mut state, &timer, &mut out);
        self.state = state.into_owned();
        self.carry_out(out)
    }

    pub(super) fn is_asked(&mut self) -> Done {
        let mut out = Out::new();
        let mut state = Cow::Owned(self.state.clone());
        let next = Request(self.state.log.len() as u32 + 1);
        self.actor.on_random(self.id, &mut state, &next, &mut out);
        self.state = state.into_owned();
        self.carry_out(out)
    }

    /// The same replica after a crash.
    pub(super) fn restarts(&self) -> (Self, Done) {
        Replica::started(self.actor.clone(), usize::from(self.id) + 1, 1, self.disk.clone())
    }

    pub(super) fn is_normal_in(&self, view: View) -> bool {
        self.state.is_normal() && self.state.view == view
    }
}

pub(super) fn ops(numbers: &[u32]) -> Log {
    numbers.iter().copied().map(Op).collect()
}

pub(super) fn prepare(view: View, op_number: usize, commit: usize) -> Message {
    Message::Prepare { view, op: Op(op_number as u32), op_number, commit }
}

pub(super) fn prepare_ok(view: View, op_number: usize) -> Message {
    Message::PrepareOk { view, op_number }
}

pub(super) fn start_view_change(view: View) -> Message {
    Message::StartViewChange { view }
}

pub(super) fn do_view_change(view: View, last_normal: View, log: &[u32], commit: usize) -> Message {
    Message::DoViewChange { view, offer: Offer { last_normal, log: ops(log), commit } }
}

pub(super) fn start_view(view: View, log: &[u32], commit: usize) -> Message {
    Message::StartView { view, log: ops(log), commit }
}

pub(super) fn suffix(after: usize, log: &[u32], commit: usize) -> Suffix {
    Suffix { after, ops: ops(log), commit }
}

pub(super) fn response(nonce: u32, view: View, suffix: Option<Suffix>) -> Message {
    Message::RecoveryResponse { nonce, answer: Answer { view, suffix } }
}

pub(super) fn saved_view(view: View) -> Result<(usize, Message), Disk> {
    Err(Disk { view, log: Log::new(), commit: 0 })
}

pub(super) fn to_others(me: usize, msg: Message) -> Vec<Result<(usize, Message), Disk>> {
    (1..=3).filter(|n| *n != me).map(|n| Ok((n, msg.clone()))).collect()
}
