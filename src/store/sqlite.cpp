#include "store/sqlite.hpp"
#include "store/writer.hpp"
#include <memory>
#include <thread>

namespace tortoise::store {
namespace {

class Sqlite final : public StoreAdaptor {
public:
    Sqlite(StoreFile file, const StoreOptions& options)
        : writer_(std::make_shared<Writer>(std::move(file), options)), thread_([writer = writer_] { writer->run(); }) {}
    ~Sqlite() override {
        writer_->stop();
        if (thread_.get_id() == std::this_thread::get_id())
            thread_.detach();
        else
            thread_.join();
    }

    Result<std::vector<core::Record>> load(std::string_view session) override { return writer_->load(session); }
    void release(std::string_view session) override { writer_->release(session); }
    void write(std::string_view session, std::vector<core::RecordChange> changes, bool durable,
               OnKept on_kept) override {
        writer_->write(session, std::move(changes), durable, std::move(on_kept));
    }
    bool busy() const noexcept override { return writer_->busy(); }

private:
    std::shared_ptr<Writer> writer_;
    std::thread thread_;
};

} // namespace

StoreAdaptor* new_sqlite(StoreFile file, const StoreOptions& options) { return new Sqlite(std::move(file), options); }

} // namespace tortoise::store
