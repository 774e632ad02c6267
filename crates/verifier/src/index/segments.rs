//! Numbered cells that never move: once a reader has a number, what it names stays where it is.

use std::sync::OnceLock;

use super::sync::{IN_GROUP, IN_SEGMENT};

type Segment<T> = OnceLock<Box<[T]>>;
type Group<T> = OnceLock<Box<[Segment<T>]>>;

/// Cells numbered from 0, a segment of them allocated when its first is needed. Only writers allocate; readers find a cell
/// with two loads and no lock.
pub(crate) struct Segments<T> {
    groups: Box<[Group<T>]>,
}

impl<T: Default> Segments<T> {
    /// Room for `most` cells at least.
    pub(crate) fn new(most: u32) -> Self {
        let groups = (most as usize).div_ceil(IN_SEGMENT * IN_GROUP);
        Self { groups: empty(groups) }
    }

    /// The cell, if its segment has been allocated.
    #[inline]
    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        let (group, segment, cell) = place(number);
        self.groups.get(group)?.get()?.get(segment)?.get()?.get(cell)
    }

    /// The cell, in a fresh segment if need be; `None` past the room.
    pub(crate) fn get_or_allocate(&self, number: u32) -> Option<&T> {
        let (group, segment, cell) = place(number);
        let group = self.groups.get(group)?.get_or_init(|| empty(IN_GROUP));
        group.get(segment)?.get_or_init(|| empty(IN_SEGMENT)).get(cell)
    }

    /// Bytes of all cells that have been allocated, with what finds them.
    pub(crate) fn bytes(&self) -> usize {
        let groups: Vec<_> = self.groups.iter().filter_map(OnceLock::get).collect();
        let segments = groups.iter().flat_map(|group| group.iter().filter_map(OnceLock::get));
        size_of_val(&*self.groups)
            + groups.iter().map(|group| size_of_val(&***group)).sum::<usize>()
            + segments.map(|segment| size_of_val(&**segment)).sum::<usize>()
    }
}

fn empty<T: Default>(count: usize) -> Box<[T]> {
    (0..count).map(|_| T::default()).collect()
}

const fn place(number: u32) -> (usize, usize, usize) {
    let number = number as usize;
    let segment = number / IN_SEGMENT;
    (segment / IN_GROUP, segment % IN_GROUP, number % IN_SEGMENT)
}
