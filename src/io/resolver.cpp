#include "io/resolver.hpp"
#include <deque>
#include <mutex>
#include <netdb.h>
#include <system_error>
#include <thread>

namespace tortoise::io {

Result<Addresses> resolve_now(const std::string& host, std::uint16_t port) {
    addrinfo hints = {};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
    if (error != 0) {
        const auto why =
            error == EAI_SYSTEM ? std::system_category().message(errno) : std::string(::gai_strerror(error));
        return make_error(Errc::host_not_found, "'" + host + "': " + why);
    }
    Addresses addresses;
    for (const addrinfo* a = found; a; a = a->ai_next) addresses.emplace_back(a->ai_addr, a->ai_addrlen);
    ::freeaddrinfo(found);
    return addresses;
}

// Only the loop's thread touches `answer`; the lookup's thread just carries the pointer.
struct Resolver::Question::State {
    Fn<void(Result<Addresses>)> answer;
};

void Resolver::Question::withdraw() noexcept {
    if (state_) state_->answer = nullptr;
    state_.reset();
}

struct Resolver::Shared : std::enable_shared_from_this<Shared> {
    struct Job {
        std::string host;
        std::uint16_t port;
        std::shared_ptr<Loop> loop;
        std::shared_ptr<Question::State> state;
    };

    Shared(Look l, unsigned m) : look(l), max_threads(m) {}

    void ask(Job job) {
        std::lock_guard lock(mutex);
        waiting.push_back(std::move(job));
        if (threads == max_threads) return;
        ++threads;
        try {
            std::thread([self = shared_from_this()] { self->work(); }).detach();
        } catch (const std::system_error& error) {
            --threads;
            if (threads == 0) give_up(error.what());
        }
    }

    /// No thread can be had at all: say so, rather than nothing.
    void give_up(const char* why) {
        for (auto& job : waiting) {
            answer(job, make_error(Errc::host_not_found, "'" + job.host + "': " + why));
        }
        waiting.clear();
    }

    static void answer(Job& job, Result<Addresses> result) {
        auto loop = std::move(job.loop);
        loop->post([state = std::move(job.state), result = std::move(result)]() mutable {
            if (auto tell = std::move(state->answer)) tell(std::move(result));
        });
    }

    void work() {
        std::unique_lock lock(mutex);
        while (!waiting.empty() && !closed) {
            auto job = std::move(waiting.front());
            waiting.pop_front();
            lock.unlock();
            auto result = look(job.host, job.port);
            answer(job, std::move(result));
            lock.lock();
        }
        --threads;
    }

    const Look look;
    const unsigned max_threads;
    std::mutex mutex;
    std::deque<Job> waiting;
    unsigned threads = 0;
    bool closed = false;
};

Resolver::Resolver(Look look, unsigned max_threads) : shared_(std::make_shared<Shared>(look, max_threads)) {}

Resolver::~Resolver() {
    std::lock_guard lock(shared_->mutex);
    shared_->closed = true;
    shared_->waiting.clear();
}

Resolver::Question Resolver::ask(Loop& loop, std::string host, std::uint16_t port, Fn<void(Result<Addresses>)> tell) {
    Question question;
    question.state_ = std::make_shared<Question::State>(std::move(tell));
    Shared::Job job{std::move(host), port, loop.shared_from_this(), question.state_};
    // A literal needs no lookup, and so cannot be held up by others.
    if (auto address = Address::parse(job.host, port))
        Shared::answer(job, Addresses{*address});
    else
        shared_->ask(std::move(job));
    return question;
}

} // namespace tortoise::io
