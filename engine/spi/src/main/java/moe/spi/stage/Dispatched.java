package moe.spi.stage;

import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// The tokens sorted by expert.
///
/// With 3 tokens, topK 2 and experts `[[2,0],[0,1],[2,1]]`, the assignments in token order are 0…5
/// and the plan is `offsets = [0, 2, 4, 6]`, `assignments = [1, 2, 3, 5, 0, 4]` (expert 0 gets
/// assignments 1 and 2, and so on), `positions = [4, 0, 1, 2, 5, 3]` (assignment 0 became row 4).
///
/// @param offsets I32 `[experts + 1]`: rows `offsets[e]` to `offsets[e+1]` belong to expert `e`
/// @param assignments I32 `[tokens·topK]`: row → `token·topK + k`, ascending within an expert;
///   undefined from `offsets[experts]` on
/// @param positions I32 `[tokens·topK]`: assignment → row, −1 for an unused slot
/// @param rows F32 `[tokens·topK, dModel]`, the tokens copied in this order; null when the executor
///   gathers itself
public record Dispatched(
    Tensor offsets, Tensor assignments, Tensor positions, @Nullable Tensor rows) {}
