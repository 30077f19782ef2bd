//! Philox4x64-10, the counter-based generator of Salmon et al. 2011 (SC11,
//! doi:10.1145/2063384.2063405): a block of four words is a pure function of (key, counter).

use core::convert::Infallible;
use rand::TryRng;
use serde::{Deserialize, Serialize};

const MULTIPLIER: [u64; 2] = [0xD2E7_470E_E14C_6C93, 0xCA5A_8263_9512_1157];
const WEYL: [u64; 2] = [0x9E37_79B9_7F4A_7C15, 0xBB67_AE85_84CA_A73B];
const ROUNDS: usize = 10;

/// A stream of random words: blocks of counters `counter`, `counter + 1`, ... under one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Philox4x64 {
    key: [u64; 2],
    counter: [u64; 4],
    block: [u64; 4],
    used: usize,
}

impl Philox4x64 {
    /// The stream that starts at `counter` under `key`. The first counter word counts blocks.
    pub fn new(key: [u64; 2], counter: [u64; 4]) -> Self {
        Self { key, counter, block: [0; 4], used: 4 }
    }

    /// The four words of one counter under one key.
    pub fn block(mut key: [u64; 2], mut x: [u64; 4]) -> [u64; 4] {
        for _ in 0..ROUNDS {
            let (low0, high0) = multiply(MULTIPLIER[0], x[0]);
            let (low1, high1) = multiply(MULTIPLIER[1], x[2]);
            x = [high1 ^ x[1] ^ key[0], low1, high0 ^ x[3] ^ key[1], low0];
            key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        }
        x
    }

    /// Key, counter and position: all there is to save and restore a stream.
    pub fn state(&self) -> ([u64; 2], [u64; 4], usize) {
        (self.key, self.counter, self.used)
    }

    #[inline]
    fn word(&mut self) -> u64 {
        if self.used == 4 {
            self.block = Self::block(self.key, self.counter);
            self.counter[0] = self.counter[0].wrapping_add(1);
            self.used = 0;
        }
        let word = self.block[self.used];
        self.used += 1;
        word
    }
}

#[inline]
fn multiply(a: u64, b: u64) -> (u64, u64) {
    let product = u128::from(a) * u128::from(b);
    (product as u64, (product >> 64) as u64)
}

impl TryRng for Philox4x64 {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.word() as u32)
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.word())
    }

    fn try_fill_bytes(&mut self, destination: &mut [u8]) -> Result<(), Infallible> {
        for chunk in destination.chunks_mut(8) {
            chunk.copy_from_slice(&self.word().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn known_answer_of_numpy_philox() {
        // numpy.random.Philox(counter=0, key=[1, 2]).random_raw(4); numpy increments first.
        let words = Philox4x64::block([1, 2], [1, 0, 0, 0]);
        assert_eq!(
            words,
            [0x4f2f_4313_b553_6b09, 0x5b61_7be3_219f_f32a, 0x0972_9347_6f92_75cb, 0xf63f_3bf4_962c_3942]
        );
    }

    #[test]
    fn a_stream_is_its_blocks_in_order() {
        let mut rng = Philox4x64::new([7, 9], [0, 1, 2, 3]);
        let drawn: Vec<u64> = (0..8).map(|_| rng.next_u64()).collect();
        assert_eq!(drawn[..4], Philox4x64::block([7, 9], [0, 1, 2, 3]));
        assert_eq!(drawn[4..], Philox4x64::block([7, 9], [1, 1, 2, 3]));
    }
}
