//! The functions behind the ones of this library, by dlsym(RTLD_NEXT).

use std::ffi::{CStr, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

/// A function that is looked up when it is first called.
pub struct Real {
    name: &'static CStr,
    address: AtomicPtr<c_void>,
}

impl Real {
    pub const fn new(name: &'static CStr) -> Real {
        Real {
            name,
            address: AtomicPtr::new(ptr::null_mut()),
        }
    }

    pub fn name(&self) -> &'static CStr {
        self.name
    }

    #[inline]
    pub fn address(&self) -> *mut c_void {
        let known = self.address.load(Relaxed);
        if known.is_null() {
            self.look_up()
        } else {
            known
        }
    }

    #[cold]
    fn look_up(&self) -> *mut c_void {
        // SAFETY: a look-up by name, which asks nothing of its caller.
        let found = unsafe { libc::dlsym(libc::RTLD_NEXT, self.name.as_ptr()) };
        self.address.store(found, Relaxed);
        found
    }
}

/// Defines a function that takes the place of libc's; `real` is libc's in its body.
macro_rules! hook {
    ($(fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block)*) => {$(
        /// # Safety
        /// As libc's function of this name.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($($argument: $type),*) $(-> $result)? {
            #[allow(dead_code)] // one hook may call another one's part
            #[inline(always)]
            fn real($($argument: $type),*) $(-> $result)? {
                static REAL: $crate::real::Real = $crate::real::Real::new(
                    // SAFETY: concat! ends it with its only zero byte.
                    unsafe { std::ffi::CStr::from_bytes_with_nul_unchecked(concat!(stringify!($name), "\0").as_bytes()) }
                );
                type Function = unsafe extern "C" fn($($type),*) $(-> $result)?;
                // SAFETY: libc's function of this name has this type; only the hook calls this, which was called as
                // libc's function has to be.
                unsafe { std::mem::transmute::<*mut std::ffi::c_void, Function>(REAL.address())($($argument),*) }
            }
            $body
        }
    )*};
}
