"""The contract that everything which is ever tried obeys: TrialSpec -> Report... -> TrialResult."""
