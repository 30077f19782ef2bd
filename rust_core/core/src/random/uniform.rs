//! Uniform numbers.

use rand::{Rng, RngExt};

/// A uniform number in [0, 1) on the grid of 2^-53.
#[inline]
pub fn uniform<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    rng.random::<f64>()
}

/// A whole number below `n`, each with the same probability (Lemire 2019, doi:10.1145/3230636).
#[inline]
pub fn below<R: Rng + ?Sized>(rng: &mut R, n: u64) -> u64 {
    let mut product = u128::from(rng.next_u64()) * u128::from(n);
    if (product as u64) < n {
        let uneven = n.wrapping_neg().checked_rem(n).unwrap_or(0);
        while (product as u64) < uneven {
            product = u128::from(rng.next_u64()) * u128::from(n);
        }
    }
    (product >> 64) as u64
}
