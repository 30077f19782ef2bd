//! Arms that begin alike, as a tree: what they share is lived once.

use crate::clinic::plan::arm::Arm;
use crate::clinic::plan::strategy::Line;
use std::sync::Arc;

/// Arms with the same scans and the same first lines.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    /// Indices of the arms, in their order.
    pub(crate) arms: Vec<usize>,
    /// The lines that all of them begin with.
    pub(crate) plan: Arc<Vec<Line>>,
    /// Where they part; nothing where they are alike to the end.
    pub(crate) then: Vec<Branch>,
}

impl Branch {
    /// All arms of an experiment.
    pub(crate) fn of(arms: &[Arm]) -> Vec<Self> {
        let begin_alike = |one: &Arm, other: &Arm| {
            one.calendar == other.calendar && one.lines.first() == other.lines.first()
        };
        Self::parted(arms, (0..arms.len()).collect(), begin_alike)
    }

    /// Whether any of its arms is wanted.
    pub(crate) fn is_among(&self, wanted: &[bool]) -> bool {
        self.arms.iter().any(|&arm| wanted[arm])
    }

    /// A branch for each of those that are alike.
    fn parted(arms: &[Arm], which: Vec<usize>, alike: impl Fn(&Arm, &Arm) -> bool) -> Vec<Self> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for arm in which {
            match groups.iter_mut().find(|group| alike(&arms[group[0]], &arms[arm])) {
                Some(group) => group.push(arm),
                None => groups.push(vec![arm]),
            }
        }
        groups.into_iter().map(|group| Self::shared(arms, group)).collect()
    }

    fn shared(arms: &[Arm], which: Vec<usize>) -> Self {
        let first = &arms[which[0]].lines;
        let has_all =
            |lines: usize| which.iter().all(|&arm| arms[arm].lines.get(..lines) == Some(&first[..lines]));
        let shared = (0..=first.len()).rev().find(|&lines| has_all(lines)).unwrap_or(0);
        let then = if which.iter().all(|&arm| arms[arm].lines.len() == shared) {
            Vec::new()
        } else {
            let go_on_alike = |one: &Arm, other: &Arm| one.lines.get(shared) == other.lines.get(shared);
            Self::parted(arms, which.clone(), go_on_alike)
        };
        Self { arms: which, plan: Arc::new(first[..shared].to_vec()), then }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clinic::plan::scan_calendar::ScanPeriod;

    fn arm(lines: &[&str]) -> Arm {
        let line = |drug: &&str| -> Line {
            let options = format!(r#"[{{"regimen": [{{"drug": "{drug}", "dose": 1.0}}]}}]"#);
            let until = r#"{"progression": true, "toxicity": false}"#;
            serde_json::from_str(&format!(r#"{{"options": {options}, "until": {until}}}"#)).expect("a line")
        };
        Arm {
            name: lines.join(", "),
            lines: lines.iter().map(line).collect(),
            among: serde_json::from_str("{}").expect("everybody"),
            calendar: Vec::new(),
        }
    }

    /// Arms, shared lines and what follows, in brackets.
    fn shown(branches: &[Branch]) -> String {
        let each = |branch: &Branch| {
            let then = if branch.then.is_empty() { String::new() } else { shown(&branch.then) };
            format!("{:?} {}{then}", branch.arms, branch.plan.len())
        };
        format!("({})", branches.iter().map(each).collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn arms_part_at_their_first_difference() {
        let arms = [arm(&["a", "b", "c"]), arm(&["x"]), arm(&["a", "b", "d"]), arm(&["a", "e"])];
        assert_eq!(shown(&Branch::of(&arms)), "([0, 2, 3] 1([0, 2] 2([0] 3, [2] 3), [3] 2), [1] 1)");
    }

    #[test]
    fn arms_that_are_alike_are_one_and_one_may_end_where_another_goes_on() {
        let arms = [arm(&["a", "b"]), arm(&["a"]), arm(&["a", "b"])];
        assert_eq!(shown(&Branch::of(&arms)), "([0, 1, 2] 1([0, 2] 2, [1] 1))");
        assert_eq!(shown(&Branch::of(&arms[..1])), "([0] 2)");
    }

    #[test]
    fn arms_with_scans_on_other_days_share_nothing() {
        let period: ScanPeriod = serde_json::from_str(r#"{"every_days": 84.0}"#).expect("a calendar");
        let other = Arm { calendar: vec![period], ..arm(&["a"]) };
        assert_eq!(shown(&Branch::of(&[arm(&["a"]), other])), "([0] 1, [1] 1)");
    }
}
