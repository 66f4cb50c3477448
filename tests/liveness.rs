//! Liveness of the protocols.
use oneleader::election::{Election, Visitor};
use oneleader::liveness::{self, Extent};
use oneleader::models;
use oneleader::scenario::Scenario;
use oneleader::semantics::{Latency, Timing};

struct Ask(Scenario);
impl Visitor for Ask {
    type Output = ();
    fn visit<E: Election>(self) {
        let system = self.0.system::<E>().unwrap();
        let begin = std::time::Instant::now();
        match liveness::ask(&system, None, Extent::default()) {
            Ok(report) => {
                println!(
                    "{} {}: {} states {} ticks cut {:?} {:?}",
                    E::about().name,
                    self.0.name,
                    report.states(),
                    report.ticks(),
                    report.cut(),
                    begin.elapsed()
                );
                for reply in &report.replies {
                    println!("   {} {:?}", reply.asked.name(), reply.decision.answer);
                    if let Some(lasso) = &reply.decision.evidence.lasso {
                        let told = report.tell(lasso).unwrap();
                        println!(
                            "      prefix {}, cycle {} {}",
                            told.prefix.len(),
                            told.cycle.len(),
                            told.again.len()
                        );
                    }
                }
            }
            Err(why) => println!("{why}"),
        }
    }
}

#[test]
fn try_it() {
    for about in models::all() {
        for (links, spread) in
            [("mesh", 30), ("mesh", 10), ("cut(n1-n2)", 30), ("cut(n2>n1,n3>n1)", 30)]
        {
            let mut scenario = Scenario::new(format!("{links} {spread}"), 3);
            scenario.timing = Timing::Timed;
            scenario.latency = Latency::OneTick;
            scenario.topologies.start = links.to_string();
            if about.name == "raft" {
                scenario.options.insert("election_spread_ms".into(), toml::Value::Integer(spread));
            }
            scenario.bounds.max_term = Some(4);
            models::visit(about.name, Ask(scenario));
        }
    }
}
