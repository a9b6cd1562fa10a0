//! portreeve-testkit
