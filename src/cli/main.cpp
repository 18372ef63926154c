// tortoise: the command.

#include "check.hpp"
#include "command.hpp"
#include "command_line.hpp"
#include "exit_code.hpp"
#include "output.hpp"
#include "report.hpp"
#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace {

constexpr const char* footer = "Try it:\n"
                               "  tortoise broker &\n"
                               "  tortoise sub -t 'rooms/#' -v &\n"
                               "  tortoise pub -t rooms/hall/temp -m 21.5\n"
                               "\n"
                               "'tortoise COMMAND --help' tells all about a command, its exit codes included.";

/// A descriptor that was closed would be given to a socket, and what is printed would go there.
void open_standard_descriptors() {
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (::fcntl(fd, F_GETFD) < 0)
            ::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY); // reads or writes fail
}

/// The help of the option parser, with the whole command in its usage line and single empty lines.
class HelpFormat : public CLI::Formatter {
public:
    HelpFormat() { column_width(34); }

    std::string make_usage(const CLI::App* app, std::string name) const override {
        static constexpr std::pair<const char*, const char*> usages[] = {
            {"tortoise", "tortoise COMMAND [OPTIONS]"},
            {"pub", "tortoise pub -t TOPIC (-m MESSAGE | -f FILE | -l | -s | -n) [OPTIONS]"},
            {"sub", "tortoise sub -t FILTER... [OPTIONS]"},
            {"broker", "tortoise broker [OPTIONS]"},
            {"bench", "tortoise bench pub|sub|rtt [OPTIONS]"},
            {"proxy", "tortoise proxy --to BROKER [OPTIONS]"},
        };
        for (const auto& [command, usage] : usages)
            if (app->get_name() == command) return std::string("Usage: ") + usage + "\n";
        return CLI::Formatter::make_usage(app, std::move(name));
    }

    std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override {
        auto text = CLI::Formatter::make_help(app, std::move(name), mode);
        for (auto at = text.find("\n\n\n"); at != std::string::npos; at = text.find("\n\n\n", at)) text.erase(at, 1);
        return text;
    }
};

/// What is said of a word that is no command.
std::string no_such_command(const std::string& word) {
    return fmt::format("there is no command '{}': the commands are pub, sub, broker, proxy and bench", word);
}

int run(int argc, char** argv) {
    CLI::App app("MQTT 3.1.1 and 5 on the command line.", "tortoise");
    app.set_help_flag("--help", "print this help");
    app.set_version_flag("--version", "tortoise " TORTOISE_VERSION, "print the version");
    app.require_subcommand(0, 1);
    app.footer(footer);
    app.formatter(std::make_shared<HelpFormat>());
    const cli::Command commands[] = {cli::add_pub(app), cli::add_sub(app), cli::add_broker(app), cli::add_bench(app),
                                     cli::add_proxy(app)};

    const cli::Command* chosen = nullptr;
    std::vector<std::string> words(argv + 1, argv + argc);
    for (const auto& command : commands)
        if (!words.empty() && words.front() == command.app->get_name()) chosen = &command;
    if (!chosen && !words.empty() && !words.front().starts_with('-'))
        return cli::Report("tortoise").usage(no_such_command(words.front())), cli::bad_usage;
    try {
        app.parse(cli::prepare(chosen ? *chosen->app : app, std::move(words)));
    } catch (const CLI::CallForHelp&) {
        cli::write_output((chosen ? *chosen->app : app).help());
        return cli::success;
    } catch (const CLI::CallForVersion& version) {
        cli::write_output(std::string(version.what()) + "\n");
        return cli::success;
    } catch (const CLI::ParseError& error) {
        const auto name = chosen ? "tortoise " + chosen->app->get_name() : std::string("tortoise");
        cli::Report(name).usage(error.what());
        return cli::bad_usage;
    }
    if (!chosen)
        return cli::Report("tortoise").usage("give a command: pub, sub, broker, proxy or bench"), cli::bad_usage;
    return chosen->run();
}

} // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN); // a reader that went away is an error of write
    open_standard_descriptors();
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        cli::Report("tortoise").error(error.what());
        return cli::failed_here;
    }
}
