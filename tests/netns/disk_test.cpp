// The disk of the store is full: a clear error, and nothing that was accepted is lost.
#include "netns/real_fault.hpp"

namespace tortoise {
namespace {

/// A file system that is soon full, and has room for the journals of all senders until then.
class SmallDisk {
public:
    SmallDisk() { must({"mount", "-t", "tmpfs", "-o", "size=32m", "tortoise", directory_.path()}); }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;
    ~SmallDisk() { test::run({"umount", "--lazy", directory_.path()}); }
    const std::string& path() const { return directory_.path(); }
    void fill() {
        std::ofstream file(path() + "/rubbish", std::ios::binary);
        const std::string page(4096, 'x'); // as large as those of the file system: what is left is less
        while (file.write(page.data(), static_cast<std::streamsize>(page.size())).flush()) {
        }
    }
    void clear() { std::filesystem::remove(path() + "/rubbish"); }

private:
    test::TemporaryDirectory directory_;
};

class FullDisk : public RealFault {
protected:
    void start_on_it() {
        for (const bool session : {false, true})
            for (const QoS qos : both)
                senders.push_back(
                    std::make_unique<Sender>(network, broker.url(), disk.path(), Case{Version::v5, qos, session}));
    }
    void give_up_and_finish() {
        ask_for(300);
        for (const auto& sender : senders) {
            EXPECT_TRUE(sender->says("store failed: '" + disk.path())) << sender->name();
            EXPECT_TRUE(sender->says("disk is full")) << sender->name();
            sender->kill();
        }
        disk.clear();
        for (const auto& sender : senders) {
            const auto accepted = sender->all_accepted();
            const auto end = sender->finish();
            EXPECT_EQ(end.code, 0) << sender->name() << ": " << end.out << end.err;
            expect_that_it_arrives(*sender, accepted);
        }
    }
    SmallDisk disk;
};

TEST_F(FullDisk, EndsTheSenderWithAClearErrorAndLosesNothing) {
    start_on_it();
    begin_to_send();
    disk.fill();
    give_up_and_finish();
}

TEST_F(FullDisk, WhileNothingCanBeSentLosesNothing) {
    start_on_it();
    begin_to_send();
    network.cut();
    for (const auto& sender : senders) EXPECT_TRUE(sender->is_down()) << sender->name();
    disk.fill();
    ask_for(300);
    for (const auto& sender : senders) EXPECT_TRUE(sender->says("refused")) << sender->name();
    network.mend();
    give_up_and_finish();
}

} // namespace
} // namespace tortoise
