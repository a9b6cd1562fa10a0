//! portreeve-decision-log
