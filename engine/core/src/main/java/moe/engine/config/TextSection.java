package moe.engine.config;

/// `[text]`: what is read.
@Section("What is read.")
public record TextSection(
    @Key(
            value =
                "A built-in corpus by name, or a file or folder. `sotu`: speeches before 1990"
                    + " train, from 1990 on are held out.",
            absent = "sotu")
        String path,
    @Key(
            value =
                "The last part of the text, by tokens, that is held out; built-in corpora with a"
                    + " division of their own ignore it.",
            unit = "share",
            absent = "0.1",
            least = 0,
            most = 0.9)
        double heldOut) {}
