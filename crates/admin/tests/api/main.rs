//! The admin API in process, over a real application on an empty database.

mod access_list;
mod authzen;
mod door;
mod refusals;
