//! Index arithmetic: what `slice.indices`, `str.find` bounds and subscripts
//! do with negative and far-away numbers. Units are whatever the caller's
//! sequence counts.

use super::error::TextError;

/// A slice resolved against a length: `count` items from `start` by `step`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    pub start: i64,
    pub stop: i64,
    pub step: i64,
    pub count: usize,
}

/// `slice(start, stop, step).indices(length)` and how many items it takes.
/// Integers too big for a word must be clamped to it by the caller.
pub fn slice_indices(
    start: Option<i64>,
    stop: Option<i64>,
    step: Option<i64>,
    length: usize,
) -> Result<Slice, TextError> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    // Negating the smallest word must stay possible.
    let step = step.unwrap_or(1).max(-i64::MAX);
    if step == 0 {
        return Err(TextError::value("slice step cannot be zero"));
    }
    let (low, high) = if step < 0 {
        (-1, length - 1)
    } else {
        (0, length)
    };
    let clamp = |value: Option<i64>, default: i64| match value {
        None => default,
        Some(value) if value < 0 => value.saturating_add(length).max(low),
        Some(value) => value.min(high),
    };
    let start = clamp(start, if step < 0 { high } else { low });
    let stop = clamp(stop, if step < 0 { low } else { high });
    let span = if step < 0 { start - stop } else { stop - start };
    let count = if span <= 0 {
        0
    } else {
        ((span - 1) / step.abs() + 1) as usize
    };
    Ok(Slice {
        start,
        stop,
        step,
        count,
    })
}

/// The bounds of `find`, `count`, `startswith`: `None` when the range is empty
/// in a way not even an empty needle is found in.
pub fn bounds(start: Option<i64>, end: Option<i64>, length: usize) -> Option<(usize, usize)> {
    let size = i64::try_from(length).unwrap_or(i64::MAX);
    let fix = |value: i64| {
        if value < 0 {
            value.saturating_add(size).max(0)
        } else {
            value
        }
    };
    let start = fix(start.unwrap_or(0));
    let end = fix(end.unwrap_or(size)).min(size);
    (start <= end).then_some((start as usize, end as usize))
}

/// A subscript as a position, if it lies inside.
pub fn position(index: i64, length: usize) -> Option<usize> {
    let index = if index < 0 {
        index.checked_add(i64::try_from(length).ok()?)?
    } else {
        index
    };
    usize::try_from(index).ok().filter(|at| *at < length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indices(
        start: Option<i64>,
        stop: Option<i64>,
        step: i64,
        length: usize,
    ) -> (i64, i64, usize) {
        let slice = slice_indices(start, stop, Some(step), length).expect("valid");
        (slice.start, slice.stop, slice.count)
    }

    #[test]
    fn slices() {
        assert_eq!(indices(None, None, 1, 5), (0, 5, 5));
        assert_eq!(indices(None, None, -1, 5), (4, -1, 5));
        assert_eq!(indices(Some(-3), None, 2, 5), (2, 5, 2));
        assert_eq!(indices(Some(100), Some(-100), -2, 5), (4, -1, 3));
        assert_eq!(
            indices(Some(i64::MIN), Some(i64::MAX), i64::MAX, 5),
            (0, 5, 1)
        );
        assert_eq!(indices(None, None, i64::MIN, 5), (4, -1, 1));
        assert_eq!(indices(Some(3), Some(1), 1, 5), (3, 1, 0));
        assert_eq!(indices(None, None, -1, 0), (-1, -1, 0));
        assert!(slice_indices(None, None, Some(0), 5).is_err());
    }

    #[test]
    fn searching() {
        assert_eq!(bounds(None, None, 3), Some((0, 3)));
        assert_eq!(bounds(Some(-2), Some(-1), 3), Some((1, 2)));
        assert_eq!(bounds(Some(4), None, 3), None);
        assert_eq!(bounds(Some(3), Some(100), 3), Some((3, 3)));
        assert_eq!(position(-1, 3), Some(2));
        assert_eq!(position(-4, 3), None);
        assert_eq!(position(3, 3), None);
    }
}
