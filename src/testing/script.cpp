#include "testing/own_loop.hpp"
#include "testing/player.hpp"
#include "testing/test_error.hpp"
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <tortoise/testing/script.hpp>
#include <utility>

namespace tortoise::testing {

struct Script::Impl {
    explicit Impl(const ScriptOptions& o)
        : place{o.host, o.port, o.unix_path, o.tls, o.websocket}, show_payloads(o.show_payloads) {
        auto layers = Layers::of(place);
        if (!layers) {
            listening = layers.error();
            return;
        }
        own.run([&] {
            player = std::make_shared<Player>(own.loop(), std::move(*layers), o.show_payloads,
                                              [this](auto so_far, const auto& why) { progressed(so_far, why); });
            if (auto port = player->listen(place))
                place.port = *port;
            else
                listening = port.error();
        });
    }
    ~Impl() {
        own.run([this] { player.reset(); });
    }

    void progressed(std::size_t so_far, const std::optional<std::string>& why) {
        std::lock_guard lock(mutex);
        done = so_far;
        failed = why.has_value();
        changed.notify_all();
    }

    const OwnLoop own;
    Place place; // constant once it listens, or not
    const bool show_payloads;
    Result<Done> listening = Done{};
    std::shared_ptr<Player> player; // of the loop's thread; null if the options are unusable

    std::mutex mutex;
    std::condition_variable changed;
    std::size_t added = 0, done = 0; // guarded by mutex, as what follows
    bool failed = false;

    void add(decltype(Step::action) action, Where where) {
        if (!player) return;
        std::lock_guard lock(mutex); // steps keep the order in which they are counted
        ++added;
        own.loop().post(
            [player = player, step = Step{std::move(action), where}]() mutable { player->add(std::move(step)); });
    }
};

Script::Script(ScriptOptions options) : impl_(std::make_unique<Impl>(options)) {}
Script::~Script() = default;

Result<Done> Script::ok() const { return impl_->listening; }
std::uint16_t Script::port() const { return impl_->place.port; }
std::string Script::url() const { return impl_->place.url(); }

// ---- The steps -----------------------------------------------------------------------------------------------------

Script& Script::expect(const core::Packet& packet, Where where) {
    impl_->add(expect_exactly(packet, impl_->show_payloads), where);
    return *this;
}
Script& Script::expect(core::PacketType type, Where where) {
    impl_->add(expect_type(type), where);
    return *this;
}
Script& Script::expect_any(Where where) {
    impl_->add(expect_anything(), where);
    return *this;
}
Script& Script::expect_connect(ConnectFields fields, Where where) {
    impl_->add(expect_fields(std::move(fields)), where);
    return *this;
}
Script& Script::expect_publish(PublishFields fields, Where where) {
    impl_->add(expect_fields(std::move(fields), impl_->show_payloads), where);
    return *this;
}
Script& Script::expect_subscribe(std::vector<std::string> filters, Where where) {
    impl_->add(expect_filters(std::move(filters)), where);
    return *this;
}
Script& Script::expect_match(std::string what, Fn<bool(const core::Packet&)> holds, Where where) {
    impl_->add(testing::expect_match(std::move(what), std::move(holds)), where);
    return *this;
}
Script& Script::expect_close(Where where) {
    impl_->add(step::ExpectClose{}, where);
    return *this;
}
Script& Script::silence_until(Gate gate, Where where) {
    impl_->add(step::Silence{std::move(gate)}, where);
    return *this;
}
Script& Script::accept(Where where) {
    impl_->add(step::Accept{}, where);
    return *this;
}
Script& Script::send(Part part, Where where) { return send(std::vector<Part>{std::move(part)}, where); }
Script& Script::send(std::vector<Part> parts, Where where) {
    step::Send send;
    for (auto& part : parts) {
        if (const auto* packet = std::get_if<core::Packet>(&part))
            send.parts.emplace_back(KeptPacket(*packet));
        else
            send.parts.emplace_back(std::move(std::get<Raw>(part)));
    }
    impl_->add(std::move(send), where);
    return *this;
}
Script& Script::reply(Fn<core::Packet(std::span<const core::Packet>)> make, Where where) {
    impl_->add(step::Reply{std::move(make)}, where);
    return *this;
}
Script& Script::split(std::size_t octets, Where where) {
    impl_->add(step::Split{octets}, where);
    return *this;
}
Script& Script::close(Where where) {
    impl_->add(step::Close{}, where);
    return *this;
}
Script& Script::drop(Where where) {
    impl_->add(step::Drop{}, where);
    return *this;
}
Script& Script::await(Gate gate, Where where) {
    impl_->add(step::Await{std::move(gate)}, where);
    return *this;
}
Script& Script::open(Gate gate, Where where) {
    impl_->add(step::Open{std::move(gate)}, where);
    return *this;
}
Script& Script::call(Fn<void()> function, Where where) {
    impl_->add(step::Call{std::move(function)}, where);
    return *this;
}

// ---- How it went ---------------------------------------------------------------------------------------------------

Result<Done> Script::wait(Duration at_most) const {
    auto& impl = *impl_;
    if (!impl.listening) return impl.listening;
    if (io::Loop::on_any_thread()) return make_error(Errc::would_deadlock, "Script::wait on a loop thread");
    bool failed = false;
    {
        std::unique_lock lock(impl.mutex);
        const auto over = [&] { return impl.failed || impl.done == impl.added; };
        const bool in_time = impl.changed.wait_for(lock, std::min<Duration>(at_most, std::chrono::hours(24)), over);
        if (in_time && !impl.failed) return Done{};
        failed = impl.failed;
    }
    return failed ? Error{Finding::script_not_followed, report()} : make_error(Errc::timeout, report());
}

std::string Script::report() const {
    std::string text;
    if (!impl_->listening) return impl_->listening.error().describe();
    impl_->own.run([&] { text = impl_->player->report(); });
    return text;
}

std::string Script::transcript() const {
    std::string text;
    if (impl_->player) impl_->own.run([&] { text = impl_->player->transcript(); });
    return text;
}

} // namespace tortoise::testing
