package moe.engine.train;

/// The numbers of a training run that stay the same from step to step.
///
/// @param batch sequences of a batch
/// @param seqLength tokens of a sequence
/// @param accumulate batches of a step
/// @param stepsPerEpoch steps of an epoch
/// @param rate the learning rate
/// @param clip largest norm of all gradients together; 0 for no limit
/// @param propagate whether a step whose loss or gradient is not finite updates the weights
public record TrainingPlan(
    int batch,
    int seqLength,
    int accumulate,
    int stepsPerEpoch,
    LearningRate rate,
    double clip,
    boolean propagate) {}
