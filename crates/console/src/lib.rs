//! portreeve-console
