//! Philox4x64-10, the counter-based generator of Salmon et al. 2011 (SC11,
//! doi:10.1145/2063384.2063405): a block of four words is a pure function of (key, counter).
//!
//! The rounds are written once for words of any size, so that the published known answers of
//! Philox4x32-10 check the code that draws with 64 bits.

use core::convert::Infallible;
use core::ops::BitXor;
use rand::TryRng;
use serde::{Deserialize, Serialize};

const ROUNDS: usize = 10;

/// A word of the generator, with the constants that belong to its size.
pub trait Word: Copy + BitXor<Output = Self> {
    /// Of words 0 and 2.
    const MULTIPLIER: [Self; 2];
    /// What the key grows by in every round: golden ratio and sqrt(3) - 1.
    const WEYL: [Self; 2];
    /// Low and high half of the product.
    fn multiply(self, other: Self) -> (Self, Self);
    /// Sum, modulo 2^bits.
    fn plus(self, other: Self) -> Self;
}

impl Word for u64 {
    const MULTIPLIER: [Self; 2] = [0xD2E7_470E_E14C_6C93, 0xCA5A_8263_9512_1157];
    const WEYL: [Self; 2] = [0x9E37_79B9_7F4A_7C15, 0xBB67_AE85_84CA_A73B];

    #[inline]
    fn multiply(self, other: Self) -> (Self, Self) {
        let product = u128::from(self) * u128::from(other);
        (product as Self, (product >> 64) as Self)
    }

    #[inline]
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
}

impl Word for u32 {
    const MULTIPLIER: [Self; 2] = [0xD251_1F53, 0xCD9E_8D57];
    const WEYL: [Self; 2] = [0x9E37_79B9, 0xBB67_AE85];

    #[inline]
    fn multiply(self, other: Self) -> (Self, Self) {
        let product = u64::from(self) * u64::from(other);
        (product as Self, (product >> 32) as Self)
    }

    #[inline]
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
}

/// The four words of one counter under one key.
#[inline]
pub fn block<W: Word>(key: [W; 2], counter: [W; 4]) -> [W; 4] {
    let [words] = blocks(key, [counter]);
    words
}

/// The blocks of several counters, each round in all of them: none waits for the products of its own.
#[inline]
fn blocks<W: Word, const N: usize>(mut key: [W; 2], mut all: [[W; 4]; N]) -> [[W; 4]; N] {
    for _ in 0..ROUNDS {
        for x in &mut all {
            let (low0, high0) = W::MULTIPLIER[0].multiply(x[0]);
            let (low1, high1) = W::MULTIPLIER[1].multiply(x[2]);
            *x = [high1 ^ x[1] ^ key[0], low1, high0 ^ x[3] ^ key[1], low0];
        }
        key = [key[0].plus(W::WEYL[0]), key[1].plus(W::WEYL[1])];
    }
    all
}

/// Blocks that are made together.
const TOGETHER: usize = 4;

/// A stream of random words: blocks of counters `counter`, `counter + 1`, ... under one key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "Place", into = "Place")]
pub struct Philox4x64 {
    key: [u64; 2],
    /// Of the next block that is made.
    counter: [u64; 4],
    words: [[u64; 4]; TOGETHER],
    /// The next word of them.
    next: usize,
}

/// Key, counter of the next block, and the words that were used of the one before: all there is to save of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place([u64; 2], [u64; 4], u8);

impl From<Philox4x64> for Place {
    fn from(stream: Philox4x64) -> Self {
        let (key, counter, used) = stream.state();
        Self(key, counter, used as u8)
    }
}

impl From<Place> for Philox4x64 {
    fn from(Place(key, counter, used): Place) -> Self {
        let mut stream = Self::new(key, counter);
        if used < 4 {
            stream.counter[0] = counter[0].wrapping_sub(1);
            stream.begin();
            stream.next += usize::from(used);
        }
        stream
    }
}

impl PartialEq for Philox4x64 {
    fn eq(&self, other: &Self) -> bool {
        self.state() == other.state()
    }
}

impl Eq for Philox4x64 {}

impl Philox4x64 {
    /// The stream that starts at `counter` under `key`. The first counter word counts blocks.
    pub fn new(key: [u64; 2], counter: [u64; 4]) -> Self {
        Self { key, counter, words: [[0; 4]; TOGETHER], next: FRESH }
    }

    /// Key, counter of the next block, and the words used of the one before: all there is to save of a stream.
    pub fn state(&self) -> ([u64; 2], [u64; 4], usize) {
        let left = if self.next == FRESH { 0 } else { 4 * TOGETHER - self.next };
        let mut counter = self.counter;
        counter[0] = counter[0].wrapping_sub(left as u64 / 4);
        (self.key, counter, 4 - left % 4)
    }

    #[inline]
    fn word(&mut self) -> u64 {
        if self.next >= 4 * TOGETHER {
            self.refill();
        }
        let word = self.words.as_flattened()[self.next];
        self.next += 1;
        word
    }

    /// Many streams are asked for a few words only: the first block is made alone.
    #[inline(never)]
    fn refill(&mut self) {
        if self.next == FRESH {
            return self.begin();
        }
        let [first, key1, key2, key3] = self.counter;
        let counters = core::array::from_fn(|i| [first.wrapping_add(i as u64), key1, key2, key3]);
        self.words = blocks(self.key, counters);
        self.counter[0] = first.wrapping_add(TOGETHER as u64);
        self.next = 0;
    }

    fn begin(&mut self) {
        self.words[TOGETHER - 1] = block(self.key, self.counter);
        self.counter[0] = self.counter[0].wrapping_add(1);
        self.next = 4 * (TOGETHER - 1);
    }
}

/// In the place of the next word: none was asked for yet.
const FRESH: usize = usize::MAX;

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
        let words = block([1_u64, 2], [1, 0, 0, 0]);
        assert_eq!(
            words,
            [0x4f2f_4313_b553_6b09, 0x5b61_7be3_219f_f32a, 0x0972_9347_6f92_75cb, 0xf63f_3bf4_962c_3942]
        );
    }

    #[test]
    fn known_answers_of_the_authors() {
        // kat_vectors of Random123, Philox4x32-10.
        assert_eq!(block([0_u32; 2], [0; 4]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(block([u32::MAX; 2], [u32::MAX; 4]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        assert_eq!(
            block([0xa409_3822_u32, 0x299f_31d0], [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn a_stream_is_its_blocks_in_order() {
        let mut rng = Philox4x64::new([7, 9], [0, 1, 2, 3]);
        for number in 0..12 {
            let drawn = [(); 4].map(|()| rng.next_u64());
            assert_eq!(drawn, block([7, 9], [number, 1, 2, 3]));
        }
    }

    #[test]
    fn a_stream_goes_on_from_any_place_at_which_it_was_saved() {
        let mut rng = Philox4x64::new([7, 9], [u64::MAX - 1, 1, 2, 3]);
        for _ in 0..50 {
            let mut saved = Philox4x64::from(Place::from(rng.clone()));
            assert_eq!(saved, rng);
            for word in [(); 20].map(|()| rng.clone().next_u64()) {
                assert_eq!(saved.clone().next_u64(), word);
            }
            assert_eq!(saved.next_u64(), rng.next_u64());
        }
    }
}
