//! portreeve-token
