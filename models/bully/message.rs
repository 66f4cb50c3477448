//! What the nodes say to each other, and what they wait for.

/// The three messages of the election, and a fourth where quorums count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// Is anybody higher alive?
    Election,
    /// Yes: leave it to me.
    Answer,
    /// I lead; with quorums: I want to lead.
    Coordinator,
    /// With quorums: I accept you.
    Accept,
}

/// Each role has one timer, and a node only ever has the timer of its role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// Electing: no higher node has answered.
    Answer,
    /// Waiting (then it is the second wait) or idle: no coordinator was announced.
    Coordinator,
    /// Following: the leader is silent.
    Monitor,
    /// Leading or claiming: it is time to be heard again.
    Heartbeat,
}
