//! portreeve-policy
