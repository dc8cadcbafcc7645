//! Futures on the heap.

use std::pin::Pin;

/// A future whose type does not say what it does.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Moves a future to the heap.
///
/// A promise is made of each future that the platform waits for. The code that does so is generated once for each type of
/// future, with all of the future in it, so there should be few and small ones.
pub fn on_heap<'a, T>(future: impl Future<Output = T> + 'a) -> Boxed<'a, T> {
    Box::pin(future)
}
