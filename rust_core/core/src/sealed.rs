//! State as bytes: whose they are, the number of their layout, the state, and a check sum.

use crate::error::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The polynomial of zlib and PNG.
const CHECK: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);

/// A kind of state that is written and read whole.
pub(crate) struct Seal {
    /// What the bytes begin with.
    pub(crate) magic: &'static [u8; 8],
    /// The layout of the rest; raised when any of the structures in it changes.
    pub(crate) format: u32,
    /// What is in the bytes, for messages.
    pub(crate) content: &'static str,
}

impl Seal {
    /// An error about such bytes.
    pub(crate) fn refuse(&self, message: impl Into<String>) -> Error {
        Error::input(self.content, message)
    }

    /// The state as bytes.
    pub(crate) fn close<T: Serialize>(&self, state: &T) -> Result<Vec<u8>> {
        let body =
            postcard::to_allocvec_crc32(state, CHECK.digest()).map_err(|e| self.refuse(e.to_string()))?;
        let mut bytes = self.magic.to_vec();
        bytes.extend(self.format.to_le_bytes());
        bytes.extend(body);
        Ok(bytes)
    }

    /// The state that `close` wrote.
    pub(crate) fn open<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T> {
        let foreign = || self.refuse(format!("these bytes are no {} of tumor_abm", self.content));
        let rest = bytes.strip_prefix(self.magic).ok_or_else(foreign)?;
        let (format, rest) = rest.split_first_chunk::<4>().ok_or_else(foreign)?;
        let (found, format) = (u32::from_le_bytes(*format), self.format);
        if found != format {
            let message = format!("found format {found}; this version of tumor_abm reads format {format}");
            return Err(self.refuse(message));
        }
        postcard::from_bytes_crc32(rest, CHECK.digest())
            .map_err(|_| self.refuse("the bytes are cut off or damaged"))
    }
}
