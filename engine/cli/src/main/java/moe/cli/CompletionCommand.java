package moe.cli;

import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Prints a script that completes commands and options in a shell.
@Command(
    name = "completion",
    description = "Prints a completion script for a shell.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExample:%n",
    footer = {"  source <(moe-engine completion bash)", "  moe-engine completion zsh >> ~/.zshrc"})
final class CompletionCommand implements Runnable {
  /// A shell that can read the script.
  enum Shell {
    bash,
    zsh
  }

  @Parameters(
      arity = "0..1",
      defaultValue = "bash",
      description = "One of ${COMPLETION-CANDIDATES}; default: ${DEFAULT-VALUE}.")
  private Shell shell;

  @Spec private CommandSpec spec;

  CompletionCommand() {}

  @Override
  public void run() {
    CommandLine root = spec.root().commandLine();
    String script = AutoComplete.bash(root.getCommandName(), root);
    if (shell == Shell.zsh) {
      // The script is bash's; zsh reads it once its emulation is loaded.
      root.getOut().println("autoload -Uz compinit bashcompinit && compinit && bashcompinit");
    }
    root.getOut().print(script);
    root.getOut().flush();
  }
}
