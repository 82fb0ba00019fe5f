//! Tests of the build side on real and on fake tools.
