//! portreeve-review
