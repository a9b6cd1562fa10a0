//! portreeve-audit
