//! Hill effects, alone and together.

/// `max * C^hill / (ic50^hill + C^hill)`: 0 at C = 0, `max` in the limit.
#[inline]
pub fn hill(concentration: f64, max: f64, ic50: f64, hill: f64) -> f64 {
    if concentration <= 0.0 {
        return 0.0;
    }
    if concentration == f64::INFINITY {
        return max;
    }
    let ratio = ic50 / concentration;
    let power = if hill.to_bits() == 1.0f64.to_bits() { ratio } else { libm::pow(ratio, hill) };
    max / (1.0 + power)
}

/// Bliss independence of two fractional effects.
pub fn bliss(a: f64, b: f64) -> f64 {
    a + b - a * b
}

/// Integral over `tau` of a Hill effect on a concentration that falls as `c0 exp(-ke t)`:
/// `max / (hill ke) * ln[(ic50^hill + c0^hill) / (ic50^hill + c_tau^hill)]`.
pub fn integrated_hill(max: f64, ic50: f64, hill: f64, c0: f64, ke: f64, tau: f64) -> f64 {
    let power = |c: f64| libm::pow(c / ic50, hill);
    let end = c0 * libm::exp(-ke * tau);
    max / (hill * ke) * (libm::log1p(power(c0)) - libm::log1p(power(end)))
}
