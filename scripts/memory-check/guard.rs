//! The allocator of scripts/memory-check.sh: every allocation has pages of its own, and ends where a page begins that
//! nobody may touch. With `GUARD=before` in the environment it begins after such a page instead. Freed pages may not be
//! touched either. Whatever reads or writes outside ends the process, be it Rust, a vector instruction or assembly.

use std::alloc::{GlobalAlloc, Layout};
use std::ffi::{c_char, c_int, c_long, c_void};
use std::ptr;
use std::sync::atomic::{AtomicU8, Ordering};

const PAGE: usize = 4096;

// The values of Linux on x86-64.
const READ_AND_WRITE: c_int = 3;
const PRIVATE_ANONYMOUS: c_int = 0x22;

unsafe extern "C" {
    fn mmap(
        at: *mut c_void,
        len: usize,
        access: c_int,
        kind: c_int,
        file: c_int,
        offset: c_long,
    ) -> *mut c_void;
    fn mprotect(at: *mut c_void, len: usize, access: c_int) -> c_int;
    fn munmap(at: *mut c_void, len: usize) -> c_int;
    fn getenv(name: *const c_char) -> *const c_char;
}

#[global_allocator]
static ALLOCATOR: GuardPages = GuardPages;

struct GuardPages;

/// The pages of an allocation, without the guard.
fn room(layout: Layout) -> usize {
    layout.size().next_multiple_of(PAGE)
}

fn guard_is_before() -> bool {
    static KNOWN: AtomicU8 = AtomicU8::new(0);
    let mut known = KNOWN.load(Ordering::Relaxed);
    if known == 0 {
        // SAFETY: the name ends with a zero byte; no thread of the tests changes the environment.
        known = if unsafe { getenv(c"GUARD".as_ptr()) }.is_null() { 1 } else { 2 };
        KNOWN.store(known, Ordering::Relaxed);
    }
    known == 2
}

// SAFETY: a mapping of its own for each allocation, at least as large as asked for; `alloc` and `dealloc` place it the
// same way.
unsafe impl GlobalAlloc for GuardPages {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() > PAGE {
            return ptr::null_mut();
        }
        let room = room(layout);
        // SAFETY: a new mapping, and a change of its own pages.
        unsafe {
            let base = mmap(ptr::null_mut(), room + PAGE, READ_AND_WRITE, PRIVATE_ANONYMOUS, -1, 0);
            if base as isize == -1 {
                return ptr::null_mut();
            }
            let base = base.cast::<u8>();
            let (guard, start) = if guard_is_before() {
                (base, base.add(PAGE))
            } else {
                (base.add(room), base.add(room - layout.size().next_multiple_of(layout.align())))
            };
            if mprotect(guard.cast(), PAGE, 0) != 0 {
                return ptr::null_mut();
            }
            start
        }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        let back = if guard_is_before() { PAGE } else { start as usize % PAGE };
        // SAFETY: these are the pages that `alloc` mapped.
        unsafe {
            munmap(start.sub(back).cast(), room(layout) + PAGE);
        }
    }
}

/// Faults that must end the process. The script runs each by itself.
mod faults {
    use std::hint::black_box;

    #[test]
    #[ignore = "must crash"]
    fn reads_after_the_end() {
        let bytes = black_box(vec![1u8; 100]);
        // SAFETY: none; this is the fault.
        black_box(unsafe { bytes.as_ptr().add(100).read_volatile() });
    }

    #[test]
    #[ignore = "must crash"]
    fn reads_before_the_beginning() {
        let bytes = black_box(vec![1u8; 100]);
        // SAFETY: none; this is the fault.
        black_box(unsafe { bytes.as_ptr().sub(1).read_volatile() });
    }

    #[test]
    #[ignore = "must crash"]
    #[cfg(target_arch = "x86_64")]
    fn reads_after_the_end_in_assembly() {
        let bytes = black_box(vec![1u8; 100]);
        // SAFETY: none; this is the fault.
        unsafe {
            std::arch::asm!("movdqu {out}, [{at}]", out = out(xmm_reg) _, at = in(reg) bytes.as_ptr().add(85));
        }
    }

    #[test]
    #[ignore = "must crash"]
    fn reads_what_was_freed() {
        let bytes = black_box(vec![1u8; 100]);
        let at = bytes.as_ptr();
        drop(bytes);
        // SAFETY: none; this is the fault.
        black_box(unsafe { at.read_volatile() });
    }

    #[test]
    #[ignore = "must crash"]
    fn reads_outside_of_an_array() {
        let array = black_box([1u8; 100]);
        let at = black_box(array.as_ptr());
        // SAFETY: none; this is the fault, and only the sanitizer sees it.
        black_box(unsafe { at.add(100).read_volatile() });
        black_box(array);
    }
}
