//! portreeve-proxy
