//! portreeve-jobs
