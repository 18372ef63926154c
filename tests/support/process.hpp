#pragma once
// Child processes for tests: pipes to all three standard descriptors, time-outs, and an end for sure.

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <poll.h>
#include <spawn.h>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace test {

using namespace std::chrono_literals;

/// Generous: it is met only when something is wrong.
inline constexpr std::chrono::seconds patience = 30s;

/// The words of a command line.
struct Words : std::vector<std::string> {
    using std::vector<std::string>::vector;
    friend Words operator+(Words a, const Words& b) {
        a.insert(a.end(), b.begin(), b.end());
        return a;
    }
};

/// How a process ended: its exit code, or 128 plus the signal, as shells say it.
struct Ended {
    int code = -1;
    std::string out, err;
};

/// A running program. The destructor kills it if it still runs. Not thread-safe.
class Process {
public:
    /// The first word is the program, looked up in PATH. Standard input is what is written to it, until close_input().
    explicit Process(const Words& words) {
        Pipe in, out, err;
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, in.read, STDIN_FILENO);
        posix_spawn_file_actions_adddup2(&actions, out.write, STDOUT_FILENO);
        posix_spawn_file_actions_adddup2(&actions, err.write, STDERR_FILENO);
        std::vector<char*> arguments;
        for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
        arguments.push_back(nullptr);
        const int failed = ::posix_spawnp(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
        posix_spawn_file_actions_destroy(&actions);
        if (failed != 0)
            throw std::runtime_error("cannot start " + words[0] + ": " + std::generic_category().message(failed));
        in_ = std::exchange(in.write, -1);
        out_ = std::exchange(out.read, -1);
        err_ = std::exchange(err.read, -1);
        for (const int fd : {in_, out_, err_}) ::fcntl(fd, F_SETFL, O_NONBLOCK);
    }
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process() {
        if (!ended_) {
            ::kill(pid_, SIGKILL);
            reap(0);
        }
        for (const int fd : {in_, out_, err_})
            if (fd >= 0) ::close(fd);
    }

    /// Into its standard input: as much as the pipe takes now, the rest while it is waited for.
    void write(const std::string& text) {
        input_ += text;
        if (in_ >= 0 && !input_.empty()) feed();
    }
    void close_input() { input_ends_ = true; }
    /// As when the program on the right of a shell's pipe goes away.
    void close_output() { ::close(std::exchange(out_, -1)); }
    bool has_ended() { return reap(WNOHANG); }
    void signal(int number) const { ::kill(pid_, number); }
    /// Stops it until it gets a SIGCONT; returns when it stands still.
    void halt() const {
        signal(SIGSTOP);
        siginfo_t ignored;
        ::waitid(P_PID, static_cast<id_t>(pid_), &ignored, WSTOPPED);
    }
    const std::string& out() const { return out_text_; }
    const std::string& err() const { return err_text_; }

    /// Waits until the text stands in what it wrote to standard output or error. False when it ended, or took too long.
    bool says(const std::string& text) {
        return pump(
            [&] { return out_text_.find(text) != std::string::npos || err_text_.find(text) != std::string::npos; });
    }
    /// Waits for its end; throws when that takes too long.
    Ended wait() {
        close_input();
        pump([] { return false; });
        const auto until = std::chrono::steady_clock::now() + patience;
        while (!reap(WNOHANG)) { // its output has ended, so that its end is near
            if (std::chrono::steady_clock::now() > until)
                throw std::runtime_error("a process does not end: " + err_text_);
            ::poll(nullptr, 0, 1);
        }
        return {code_, out_text_, err_text_};
    }
    /// Ends it without a chance to say goodbye.
    void crash() {
        signal(SIGKILL);
        wait();
    }

private:
    struct Pipe {
        Pipe() {
            int ends[2];
            if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
            read = ends[0];
            write = ends[1];
        }
        ~Pipe() {
            for (const int fd : {read, write})
                if (fd >= 0) ::close(fd);
        }
        int read, write;
    };

    bool reap(int options) {
        if (ended_) return true;
        int status = 0;
        if (::waitpid(pid_, &status, options) != pid_) return false;
        ended_ = true;
        code_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        return true;
    }

    /// Moves input and output until the condition holds. False when its outputs ended before, or time ran out.
    bool pump(const std::function<bool()>& enough) {
        const auto until = std::chrono::steady_clock::now() + patience;
        while (!enough()) {
            if (input_.empty() && input_ends_ && in_ >= 0) ::close(std::exchange(in_, -1));
            if (out_ < 0 && err_ < 0) return false;
            pollfd watched[] = {{out_, POLLIN, 0}, {err_, POLLIN, 0}, {input_.empty() ? -1 : in_, POLLOUT, 0}};
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
            if (left.count() <= 0) return false;
            ::poll(watched, 3, static_cast<int>(left.count()));
            if (watched[0].revents != 0) read(out_, out_text_);
            if (watched[1].revents != 0) read(err_, err_text_);
            if (watched[2].revents != 0) feed();
        }
        return true;
    }
    static void read(int& fd, std::string& into) {
        char piece[64 * 1024];
        const auto got = ::read(fd, piece, sizeof piece);
        if (got > 0)
            into.append(piece, static_cast<std::size_t>(got));
        else if (got == 0 || (errno != EAGAIN && errno != EINTR))
            ::close(std::exchange(fd, -1));
    }
    void feed() {
        const auto written = ::write(in_, input_.data(), input_.size());
        if (written > 0) {
            input_.erase(0, static_cast<std::size_t>(written));
        } else if (errno != EAGAIN && errno != EINTR) {
            input_.clear();
            ::close(std::exchange(in_, -1));
        }
    }

    pid_t pid_ = -1;
    int in_ = -1, out_ = -1, err_ = -1;
    std::string input_, out_text_, err_text_;
    bool input_ends_ = false, ended_ = false;
    int code_ = -1;
    // A child that ends must not end the test with it.
    [[maybe_unused]] const bool no_sigpipe_ = (std::signal(SIGPIPE, SIG_IGN), true);
};

/// Runs a program to its end.
inline Ended run(const Words& words, const std::string& input = {}) {
    Process process(words);
    process.write(input);
    return process.wait();
}

/// A directory that goes with its owner.
class TemporaryDirectory {
public:
    TemporaryDirectory() {
        std::string name = "/tmp/tortoise-test-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
        path_ = name;
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const std::string& path() const { return path_; }
    /// Makes a file there; its path.
    std::string file(const std::string& name, const std::string& content) const {
        const auto path = path_ + "/" + name;
        std::ofstream(path, std::ios::binary) << content;
        return path;
    }

private:
    std::string path_;
};

} // namespace test
