//! Clocks: wall time, monotonic time, CPU time.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// What can tell the time. The real one asks the system; a simulation brings its own.
pub trait Clock {
    /// Nanoseconds since 1970.
    fn wall_ns(&self) -> i64;
    /// Nanoseconds since some fixed moment; never goes back.
    fn monotonic_ns(&self) -> i64;
    /// CPU time of the process, in nanoseconds.
    fn process_ns(&self) -> i64;
    /// CPU time of the thread, in nanoseconds.
    fn thread_ns(&self) -> i64;
    /// Sleeps; may return early when a signal arrives.
    fn sleep(&self, d: Duration);
}

pub struct RealClock;

fn read(id: libc::clockid_t) -> i64 {
    let mut t = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `t` is a valid place for the answer.
    #[allow(unsafe_code)]
    unsafe {
        libc::clock_gettime(id, &mut t);
    }
    t.tv_sec
        .saturating_mul(1_000_000_000)
        .saturating_add(t.tv_nsec)
}

impl Clock for RealClock {
    fn wall_ns(&self) -> i64 {
        read(libc::CLOCK_REALTIME)
    }
    fn monotonic_ns(&self) -> i64 {
        read(libc::CLOCK_MONOTONIC)
    }
    fn process_ns(&self) -> i64 {
        read(libc::CLOCK_PROCESS_CPUTIME_ID)
    }
    fn thread_ns(&self) -> i64 {
        read(libc::CLOCK_THREAD_CPUTIME_ID)
    }
    fn sleep(&self, d: Duration) {
        let t = libc::timespec {
            tv_sec: d.as_secs().min(i64::MAX as u64) as libc::time_t,
            tv_nsec: d.subsec_nanos() as _,
        };
        // SAFETY: `t` is a valid request; the rest is not asked for. (`thread::sleep` would go on sleeping after a signal.)
        #[allow(unsafe_code)]
        unsafe {
            libc::nanosleep(&t, std::ptr::null_mut());
        }
    }
}

/// The clock in use; one per VM (`vm.extension::<ClockSlot>()`).
pub struct ClockSlot(RefCell<Rc<dyn Clock>>);

impl Default for ClockSlot {
    fn default() -> ClockSlot {
        ClockSlot(RefCell::new(Rc::new(RealClock)))
    }
}

impl ClockSlot {
    pub fn get(&self) -> Rc<dyn Clock> {
        self.0.borrow().clone()
    }
    pub fn set(&self, clock: Rc<dyn Clock>) {
        self.0.replace(clock);
    }
}
