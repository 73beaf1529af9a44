package moe.engine.config;

import moe.spi.stage.Options;

/// `[router]`: how each token's experts are chosen.
@Section("How each token's experts are chosen. A type may have more keys of its own.")
public record RouterSection(
    @Key(value = "The router: `topk`, `energy-ttt`, `replay`, or a plugin's.", absent = "topk")
        String type,
    @Key(value = "How the load is kept even in training.", absent = "bias") Balance balance,
    @Key(
            value = "Step of the balancing bias (γ); for `balance = \"bias\"`.",
            absent = "0.001",
            least = 0,
            most = 1)
        double balanceRate,
    @Key(
            value =
                "Weight of the auxiliary loss of the Switch Transformer in each layer; for `balance"
                    + " = \"switch\"`.",
            absent = "0.01",
            least = 0,
            most = 1e6)
        double balanceLoss,
    @Key(
            value =
                "Weight of the router's z-loss in each layer, which keeps logits small; 0: none.",
            absent = "0.0",
            least = 0,
            most = 1e6)
        double zLoss,
    @Key(
            value = "Weight of an expert's relative energy in its score (λ); for `energy-ttt`.",
            absent = "0.001",
            least = 0,
            most = 1e6)
        double lambdaEnergy,
    @Key(
            value = "Whether the best expert is kept whatever its energy; for `energy-ttt`.",
            absent = "true")
        boolean keepTop1,
    @Key(
            value = "What the fast weights learn from at test time; for `energy-ttt`.",
            absent = "local")
        TestTimeTraining ttt,
    @Key(
            value = "Steps between two updates of the fast weights; for `energy-ttt`.",
            unit = "steps",
            absent = "1",
            least = 1,
            most = 1e9)
        int tttEvery,
    @Key(
            value = "Learning rate of the fast weights; for `energy-ttt`.",
            absent = "0.01",
            least = 0,
            most = 1e6)
        double tttRate,
    @Key(value = "When the fast weights return to zero; for `energy-ttt`.", absent = "never")
        TttReset reset,
    @Key(
            value =
                "Whether each token has `top_k` experts, or as many as it takes until their"
                    + " probabilities reach `p`; top-p for `energy-ttt`.",
            absent = "top-k")
        ExpertCount selection,
    @Key(
            value =
                "Probability that a token's experts reach together; for `selection = \"top-p\"`.",
            absent = "0.9",
            least = 0,
            most = 1)
        double p,
    @Key(
            value = "The most experts of a token, at most `top_k`; 0: `top_k`; for `top-p`.",
            absent = "0",
            least = 0,
            most = 1e6)
        int maxK,
    @Key(
            value =
                "A file that takes the routing of each batch, for `type = \"replay\"`; empty:"
                    + " none.",
            absent = "")
        String capture,
    Options options)
    implements StageSection {}
