//! What a store promises, told to both databases: SQLite in a file, and a PostgreSQL server that
//! the tests start themselves.

#[cfg(test)]
mod budget;
#[cfg(test)]
mod change;
#[cfg(test)]
mod erase;
#[cfg(test)]
mod errand;
#[cfg(test)]
mod lease;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod open;
#[cfg(test)]
mod people;
#[cfg(test)]
mod post;
#[cfg(test)]
mod prune;
#[cfg(test)]
mod receive;
#[cfg(test)]
mod rota;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod silence;
#[cfg(test)]
mod timer;
#[cfg(test)]
mod twins;
