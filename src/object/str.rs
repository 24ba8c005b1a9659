//! The payload of `str`: UTF-8 bytes inline after the object, with the number of code points and a cached hash.
//!
//! Rules:
//! 1. The bytes are always valid UTF-8 (so lone surrogates cannot be held).
//! 2. A str never changes once a second reference to it can exist. Only `grow_in_place` breaks this, for a str with one owner.

#![allow(unsafe_code)]

use super::header::{Header, Kind, Obj, Payload, flag};
use super::heap::Heap;
use super::shape::Shape;
use super::value::Value;
use std::cell::{Cell, RefCell};

pub struct Str {
    /// Bytes in use.
    len: Cell<u32>,
    /// Code points; equal to `len` for ASCII.
    chars: Cell<u32>,
    /// Bytes that fit in the cell.
    cap: Cell<u32>,
    /// 0 until computed.
    hash: Cell<u64>,
    /// Byte offsets of every 64th code point, made on the first index into a long non-ASCII str.
    index: RefCell<Option<Box<[u32]>>>,
}

// SAFETY: one type per kind; owns no Value.
unsafe impl Payload for Str {
    const KIND: Kind = Kind::Str;
    const TRACED: bool = false;
}

/// Longest str, in bytes.
pub const MAX_LEN: usize = u32::MAX as usize - 64;
const INDEX_STEP: usize = 64;

impl Str {
    /// Allocates a str with room for `room` bytes beyond the text.
    pub fn alloc(heap: &Heap, shape: *const Shape, text: &str, chars: usize, room: usize) -> Value {
        let total = text.len() + room;
        let size = size_of::<Obj<Str>>() + total;
        // Use the whole cell: in-place growth then often needs no new one.
        let cap = if size <= 512 {
            size.div_ceil(16) * 16 - size_of::<Obj<Str>>()
        } else {
            total
        };
        let data = Str {
            len: Cell::new(text.len() as u32),
            chars: Cell::new(chars as u32),
            cap: Cell::new(cap as u32),
            hash: Cell::new(0),
            index: RefCell::new(None),
        };
        let v = heap.alloc(shape, data, cap);
        // SAFETY: the tail has `cap` >= text.len() bytes.
        unsafe {
            let p = (v.bits() as *mut Obj<Str>).add(1) as *mut u8;
            std::ptr::copy_nonoverlapping(text.as_ptr(), p, text.len());
        }
        v
    }

    /// Allocates an instance of a script class derived from str, with `slots` attribute slots.
    pub fn alloc_with_slots(
        heap: &Heap,
        shape: *const Shape,
        text: &str,
        chars: usize,
        slots: u16,
    ) -> Value {
        let cap = text.len().div_ceil(8) * 8;
        let data = Str {
            len: Cell::new(text.len() as u32),
            chars: Cell::new(chars as u32),
            cap: Cell::new(text.len() as u32),
            hash: Cell::new(0),
            index: RefCell::new(None),
        };
        let v = heap.alloc(shape, data, cap + super::instance::tail_for(slots));
        // SAFETY: the tail has room for the text and, behind it, for the slots.
        unsafe {
            let p = (v.bits() as *mut Obj<Str>).add(1) as *mut u8;
            std::ptr::copy_nonoverlapping(text.as_ptr(), p, text.len());
            super::instance::init_slots(heap, &v, slots);
        }
        v
    }

    /// Allocates a str of the parts one after the other; `len` is their size in bytes and `chars` in code points, as the caller counted
    /// them. (A part beyond `len` is left out, missing bytes become blanks: a wrong count cannot make invalid text.)
    pub fn from_parts<'a>(
        heap: &Heap,
        shape: *const Shape,
        len: usize,
        chars: usize,
        parts: impl Iterator<Item = &'a str>,
    ) -> Value {
        let v = Str::alloc(heap, shape, "", 0, len);
        if let Some(s) = v.get::<Str>() {
            let mut at = 0;
            let mut whole = true;
            for part in parts {
                if part.len() > len - at {
                    whole = false;
                    break;
                }
                // SAFETY: the cell has room for `len` bytes and `at + part.len() <= len`.
                unsafe {
                    std::ptr::copy_nonoverlapping(part.as_ptr(), s.bytes_ptr().add(at), part.len())
                }
                at += part.len();
            }
            whole &= at == len;
            // SAFETY: the rest of the room, up to `len`.
            unsafe { std::ptr::write_bytes(s.bytes_ptr().add(at), b' ', len - at) }
            s.len.set(len as u32);
            s.chars.set(if whole {
                chars
            } else {
                s.as_str().chars().count()
            } as u32);
        }
        v
    }

    /// Allocates an ASCII str of `len` bytes and lets `fill` write them (they are blanks at first). Bytes outside ASCII become `?`.
    pub fn ascii_with(
        heap: &Heap,
        shape: *const Shape,
        len: usize,
        fill: impl FnOnce(&mut [u8]),
    ) -> Value {
        let v = Str::alloc(heap, shape, "", 0, len);
        if let Some(s) = v.get::<Str>() {
            // SAFETY: the cell has room for `len` bytes, written here before they are read; nobody else has the str yet.
            let buf = unsafe {
                std::ptr::write_bytes(s.bytes_ptr(), b' ', len);
                std::slice::from_raw_parts_mut(s.bytes_ptr(), len)
            };
            fill(buf);
            if !buf.is_ascii() {
                for b in buf.iter_mut().filter(|b| !b.is_ascii()) {
                    *b = b'?';
                }
            }
            s.len.set(len as u32);
            s.chars.set(len as u32);
        }
        v
    }

    fn bytes_ptr(&self) -> *mut u8 {
        // SAFETY: every Str sits in an Obj with its bytes right behind.
        unsafe { (self as *const Str).add(1) as *mut u8 }
    }

    #[inline(always)]
    pub fn as_str(&self) -> &str {
        // SAFETY: rule 1, and `len` bytes are initialised.
        unsafe {
            std::str::from_utf8_unchecked(std::slice::from_raw_parts(
                self.bytes_ptr(),
                self.len.get() as usize,
            ))
        }
    }

    /// Number of code points.
    #[inline(always)]
    pub fn char_len(&self) -> usize {
        self.chars.get() as usize
    }
    #[inline(always)]
    pub fn is_ascii(&self) -> bool {
        self.chars.get() == self.len.get()
    }

    /// The cached hash, or 0.
    #[inline(always)]
    pub fn cached_hash(&self) -> u64 {
        self.hash.get()
    }
    pub fn set_hash(&self, h: u64) {
        self.hash.set(h)
    }

    /// Byte offset of code point `i` (which must be <= char_len).
    pub fn byte_offset(&self, i: usize) -> usize {
        if self.is_ascii() {
            return i;
        }
        let s = self.as_str();
        let (mut byte, mut at) = (0, 0);
        if i >= INDEX_STEP {
            let mut index = self.index.borrow_mut();
            let table = index.get_or_insert_with(|| {
                s.char_indices()
                    .step_by(INDEX_STEP)
                    .map(|(b, _)| b as u32)
                    .collect()
            });
            let slot = (i / INDEX_STEP).min(table.len() - 1);
            byte = table[slot] as usize;
            at = slot * INDEX_STEP;
        }
        for c in s[byte..].chars() {
            if at == i {
                break;
            }
            byte += c.len_utf8();
            at += 1;
        }
        byte
    }

    /// The text between two code point positions (start <= end <= char_len).
    pub fn slice(&self, start: usize, end: usize) -> &str {
        let a = self.byte_offset(start);
        let b = if self.is_ascii() {
            end
        } else {
            self.byte_offset(end)
        };
        &self.as_str()[a..b]
    }

    /// Appends `more` in place, if there is room; the caller is the only owner of the str.
    pub fn grow_in_place(&self, more: &Str) -> bool {
        let (len, add) = (self.len.get() as usize, more.len.get() as usize);
        if len + add > self.cap.get() as usize {
            return false;
        }
        // SAFETY: there is room; `more` is another object or, if the same, does not overlap the new bytes.
        unsafe { std::ptr::copy_nonoverlapping(more.bytes_ptr(), self.bytes_ptr().add(len), add) }
        self.len.set((len + add) as u32);
        self.chars.set(self.chars.get() + more.chars.get());
        self.hash.set(0);
        *self.index.borrow_mut() = None;
        true
    }

    /// Bytes behind the payload.
    pub(super) fn tail_bytes(&self) -> usize {
        (self.cap.get() as usize).div_ceil(8) * 8
    }

    pub fn is_interned(&self) -> bool {
        // SAFETY: every Str sits in an Obj behind its header.
        let h = unsafe {
            &*((self as *const Str as *const u8).sub(size_of::<Header>()) as *const Header)
        };
        h.flags.get() & flag::INTERNED != 0
    }
}

impl Value {
    /// The text, if this is a str (or an instance of a subclass).
    #[inline(always)]
    pub fn as_str(&self) -> Option<&str> {
        self.get::<Str>().map(Str::as_str)
    }
}
