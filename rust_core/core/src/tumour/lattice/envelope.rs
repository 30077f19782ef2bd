//! The exact distance transform of a line, from which the depth of every site is built.

/// The lower envelope of parabolas on a line: the exact distance transform of Felzenszwalb and
/// Huttenlocher 2012, Theory of Computing 8:415.
#[derive(Default)]
pub(super) struct Envelope {
    heights: Vec<f64>,
    /// Parabola and where it becomes the lowest.
    pieces: Vec<(usize, f64)>,
    at: usize,
}

impl Envelope {
    /// Take in the heights of a line.
    pub(super) fn build(&mut self, heights: impl Iterator<Item = f32>) {
        self.heights.clear();
        self.heights.extend(heights.map(f64::from));
        self.pieces.clear();
        self.at = 0;
        for q in 0..self.heights.len() {
            if self.heights[q].is_infinite() {
                continue;
            }
            let lifted = |i: usize| self.heights[i] + (i * i) as f64;
            let mut from = f64::NEG_INFINITY;
            while let Some(&(last, since)) = self.pieces.last() {
                from = (lifted(q) - lifted(last)) / (2 * (q - last)) as f64;
                if from > since {
                    break;
                }
                self.pieces.pop();
                from = f64::NEG_INFINITY;
            }
            self.pieces.push((q, from));
        }
    }

    /// The envelope at `i`; ask in rising order.
    pub(super) fn lowest(&mut self, i: usize) -> f32 {
        while self.pieces.get(self.at + 1).is_some_and(|&(_, since)| since < i as f64) {
            self.at += 1;
        }
        self.pieces.get(self.at).map_or(f32::INFINITY, |&(q, _)| {
            let distance = i.abs_diff(q) as f64;
            (self.heights[q] + distance * distance) as f32
        })
    }
}
