//! What leaves with one system call.

use std::io::IoSlice;

use super::super::cut::Packet;
use super::super::rtp;

/// A frame's next packets: per-stream headers interleaved with octets shared by all streams.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// The frame's elementary-stream octets.
    pub(super) frame: &'a [u8],
    pub(super) packets: &'a [Packet],
    /// All headers of the batch, packet after packet.
    pub(super) heads: &'a [u8],
    /// Octets before each RTP packet.
    pub(super) prefix: usize,
    /// Octets that have been written before.
    pub(super) written: usize,
}

impl<'a> Batch<'a> {
    /// The packets not yet begun or begun, each as its headers and its shared octets, framing
    /// included, what has been written left out. On datagrams each is one datagram.
    pub fn packets(&self) -> impl Iterator<Item = [IoSlice<'a>; 2]> + use<'a> {
        let (frame, own) = (self.frame, self.prefix + rtp::HEADER);
        let mut heads = self.heads;
        let mut written = self.written;
        self.packets.iter().map(move |packet| {
            let (head, behind) = heads
                .split_at_checked(own + packet.head_octets())
                .unwrap_or_default();
            heads = behind;
            [head, packet.data_of(frame)].map(|octets| {
                let skipped = written.min(octets.len());
                written -= skipped;
                IoSlice::new(octets.get(skipped..).unwrap_or_default())
            })
        })
    }

    /// The octets to write, in order; empty slices are left out.
    pub fn slices(&self) -> impl Iterator<Item = IoSlice<'a>> + use<'a> {
        self.packets().flatten().filter(|slice| !slice.is_empty())
    }

    /// How many octets there are to write.
    pub fn len(&self) -> usize {
        let octets = |packet: &Packet| self.prefix + rtp::HEADER + packet.payload();
        let all: usize = self.packets.iter().map(octets).sum();
        all.saturating_sub(self.written)
    }

    /// Whether there is nothing to write; never so for a batch that a sender gave.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Octets of every packet but the last, which may be shorter: the segment size for
    /// segmentation offload.
    pub fn segment(&self) -> usize {
        let first = self.packets.first().map_or(0, Packet::payload);
        self.prefix + rtp::HEADER + first
    }

    /// How many packets the batch holds.
    pub fn count(&self) -> usize {
        self.packets.len()
    }
}

/// A list of slices whose memory is used again for batches of any lifetime.
#[derive(Debug, Default)]
pub struct SliceList(Vec<IoSlice<'static>>);

impl SliceList {
    /// Fills the list with `slices` and lends it to `write`.
    pub fn with<'a, R>(
        &mut self,
        slices: impl Iterator<Item = IoSlice<'a>>,
        write: impl FnOnce(&[IoSlice<'a>]) -> R,
    ) -> R {
        let mut list = reuse(std::mem::take(&mut self.0));
        list.extend(slices);
        let result = write(&list);
        self.0 = reuse(list);
        result
    }
}

/// The same memory for slices of another lifetime: collecting an emptied vector in place.
fn reuse<'b>(mut list: Vec<IoSlice<'_>>) -> Vec<IoSlice<'b>> {
    list.clear();
    list.into_iter().map(|_| IoSlice::new(&[])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_list_keeps_its_memory_from_batch_to_batch() {
        let mut list = SliceList::default();
        let octets = [1, 2, 3];
        let place = list.with(octets.iter().map(|_| IoSlice::new(&octets)), |slices| {
            assert_eq!(slices.len(), 3);
            slices.as_ptr() as usize
        });
        let other = vec![4];
        let again = list.with([IoSlice::new(&other)].into_iter(), |slices| {
            assert_eq!(&slices[0][..], [4]);
            slices.as_ptr() as usize
        });
        assert_eq!(place, again);
    }
}
